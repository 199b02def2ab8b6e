import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { newDataKey } from '../../src/keys/data-keys';
import { createProcesses } from '../../tools/processes';
import { DIST_DIR } from '../../tools/project';
import { eventually } from '../support/eventually';
import { createMoto, type Moto } from '../support/moto';
import { logIn, newPerson, type Person, signUp } from '../support/people';
import { withProtection } from '../support/protection';
import { startTestService, type TestService } from '../support/start-test-service';

const run = promisify(execFile);
const START_TIMEOUT_MS = 90_000;
const newRoot = (): string => randomBytes(32).toString('base64');

type Env = Readonly<Record<string, string>>;

describe('the key store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meqenet-key-store-'));
  const second = `r2:${newRoot()}`;
  const inFolder = (name: string): string => join(folder, name);
  let service: TestService;
  let moto: Moto;
  let first = '';
  let kmsEnv: Env = {};
  /** The root keys as they are by now. */
  let current: Env = {};
  let person: Person;
  let userId = '';

  /** Runs a command of the operator as in a container. @returns what it says */
  const command = async (name: string, args: readonly string[], env: Env = current): Promise<string> => {
    const { stdout } = await run(process.execPath, [join(DIST_DIR, 'tools', `keys-${name}.js`), ...args], {
      env: { ...process.env, ...service.stack.env, ...env },
      timeout: 60_000,
    });
    return stdout;
  };
  const refusal = (name: string, args: readonly string[], env: Env = current): Promise<string> =>
    command(name, args, env).then(
      (said) => `succeeded: ${said}`,
      (error: unknown) => {
        const { killed, stderr } = error as { killed: boolean; stderr: string };
        return killed ? `hangs: ${stderr}` : stderr;
      },
    );
  const rows = async <T>(text: string, values: unknown[] = []): Promise<T[]> =>
    (await service.database.query(text, values)).rows as T[];
  const roots = async (): Promise<string[]> =>
    (await rows<{ root: string }>(`SELECT DISTINCT regexp_replace(wrapped, ':[^:]*$', '') AS root FROM data_keys`)).map(
      ({ root }) => root,
    );
  const startApi = async (env: Env) => {
    await service.processes.api.stop();
    const { api } = createProcesses(service.stack, {
      env: { NODE_ENV: 'test', RATE_LIMIT_MODE: 'observe', ...moto.env, ...env },
    });
    await api.start();
    return api;
  };
  /** The address of the person as the service decrypts it, in a process of these keys. */
  const readsWith = async (env: Env): Promise<unknown> => {
    const api = await startApi(env);
    try {
      const { accessToken } = (await logIn(service, person)).body;
      const headers = { authorization: `Bearer ${String(accessToken)}` };
      return (await service.http.get('/v1/users/me', { headers })).body.email;
    } finally {
      await api.stop();
    }
  };
  const startFailure = (env: Env): Promise<string> =>
    startApi(env).then(
      async (api) => {
        await api.stop();
        return 'started';
      },
      (error: unknown) => (error as Error).message,
    );

  beforeAll(async () => {
    moto = await createMoto();
    await moto.start();
    service = await startTestService();
    first = service.stack.env['ROOT_KEYS'] ?? '';
    current = { ROOT_KEYS: first };
    const { KeyMetadata } = await new KMSClient(moto.client).send(new CreateKeyCommand({}));
    kmsEnv = {
      ...moto.env,
      ROOT_KEY_PROVIDER: 'aws-kms',
      ROOT_KMS_KEY_ID: KeyMetadata?.Arn ?? '',
      ROOT_KMS_ENDPOINT: moto.endpoint,
    };
    person = newPerson();
    const { user } = (await signUp(service, person)).body as { user: { id: string } };
    userId = user.id;
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await service.stop();
    await moto.remove();
    rmSync(folder, { recursive: true, force: true });
  }, START_TIMEOUT_MS);

  it('gets another root key while the service runs', async () => {
    const both = { ROOT_KEYS: `${second},${first}` };
    // Every process knows both before the first key is wrapped by the new one.
    const api = await startApi(both);
    const { accessToken } = (await logIn(service, person)).body;
    const statuses: unknown[] = [];
    let over = false;
    const load = async (): Promise<void> => {
      while (!over) {
        const headers = { authorization: `Bearer ${String(accessToken)}` };
        statuses.push((await service.http.get('/v1/users/me', { headers })).status);
      }
    };
    const loading = load();
    const keys = await rows<{ wrapped: string }>('SELECT wrapped FROM data_keys');
    // Two at once, as of an operator who is in doubt.
    const said = await Promise.all([command('rewrap', [], both), command('rewrap', [], both)]);
    await eventually('some more requests', () => Promise.resolve(statuses.length > 20));
    over = true;
    await loading;
    await api.stop();
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(said.map((line) => Number(/^\d+/.exec(line)?.[0])).reduce((sum, count) => sum + count)).toBe(keys.length);
    expect(await roots()).toEqual(['local:r2']);
    expect(await command('rewrap', [], both)).toMatch(/^0 data keys wrapped anew/);
    const events = await rows<{ details: string }>(
      `SELECT details FROM audit_events WHERE action = 'data_key.rewrapped' AND actor_kind = 'operator'`,
    );
    expect(events).toHaveLength(keys.length);
    expect(JSON.parse(events[0]?.details ?? '')).toMatchObject({ from: 'local:dev1', to: 'local:r2' });
    current = { ROOT_KEYS: second };
    // Without the old one from here on.
    expect(await readsWith(current)).toBe(person.email);
  }, 180_000);

  it('moves from a local root key to AWS KMS', async () => {
    expect(await command('rewrap', [], { ...kmsEnv, ROOT_KEYS: second })).toMatch(/all are under the current root key/);
    expect(await roots()).toEqual([`kms:${kmsEnv['ROOT_KMS_KEY_ID'] ?? ''}`]);
    current = { ...kmsEnv, ROOT_KEYS: '' };
    expect(await readsWith(current)).toBe(person.email);
  }, 180_000);

  it('is of no use to a process whose root key is another one, which says so and ends with 78', async () => {
    const failure = await startFailure({ ROOT_KEYS: second });
    expect(failure).toMatch(/exit code 78/);
    expect(failure).toMatch(/which ROOT_KMS_KEY_ID lacks/);
    expect(await command('rewrap', [], { ...kmsEnv, ROOT_KEY_PROVIDER: 'local', ROOT_KEYS: second })).toMatch(
      /wrapped anew/,
    );
    current = { ROOT_KEYS: second };
    const sameName = await startFailure({ ROOT_KEYS: `r2:${newRoot()}` });
    expect(sameName).toMatch(/exit code 78/);
    expect(sameName).toMatch(/does not open with root key r2: another key has its name, or it was altered/);
    expect(await startFailure({ ROOT_KEYS: `r3:${newRoot()}` })).toMatch(/needs root key r2, which ROOT_KEYS lacks/);
  }, 180_000);

  it('that was lost comes back from its backup, and whoever was erased does not', async () => {
    const erasedBefore = newPerson();
    const erasedAfter = newPerson();
    await service.processes.api.stop();
    const api = await startApi(current);
    const ids = [];
    for (const one of [erasedBefore, erasedAfter]) {
      const { user } = (await signUp(service, one)).body as { user: { id: string } };
      ids.push(user.id);
    }
    await api.stop();
    await Promise.all([service.processes.worker.stop(), service.processes.consumer.stop()]);
    const erase = (id: string | undefined) =>
      service.database.query('UPDATE person_keys SET secret = NULL, erased_at = now() WHERE person_id = $1', [id]);
    await erase(ids[0]);
    const file = inFolder('backup');
    expect(await command('backup', [file])).toMatch(/^\d+ data keys and the keys of \d+ persons/);
    expect(await refusal('backup', [file])).toMatch(/EEXIST/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await erase(ids[1]);
    expect(await command('backup', ['--erased', inFolder('erased')])).toMatch(/^2 erased persons/);
    const before = {
      dataKeys: await rows('SELECT * FROM data_keys ORDER BY id'),
      personKeys: await rows('SELECT * FROM person_keys WHERE erased_at IS NULL ORDER BY person_id'),
    };

    await service.database.query('TRUNCATE data_keys, person_keys');
    const failure = await startFailure(current);
    expect(failure).toMatch(/exit code 78/);
    expect(failure).toMatch(/restore the key store from its backup/);

    const nothing = async (): Promise<void> => {
      expect(await rows('SELECT id FROM data_keys')).toEqual([]);
      expect(await rows('SELECT person_id FROM person_keys')).toEqual([]);
    };
    expect(await refusal('restore', [file], { ROOT_KEYS: `r3:${newRoot()}` })).toMatch(
      /needs root key r2, which ROOT_KEYS lacks/,
    );
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(inFolder('cut'), lines.slice(0, -2).join('\n'));
    expect(await refusal('restore', [inFolder('cut')])).toMatch(/The file is cut short/);
    const [header = '', dataKeys = '', ...rest] = lines;
    writeFileSync(inFolder('moved'), [header, ...rest.slice(0, 1), dataKeys, ...rest.slice(1)].join('\n'));
    expect(await refusal('restore', [inFolder('moved')])).toMatch(/not as it was written/);
    writeFileSync(
      inFolder('dated'),
      [header.replace(/"createdAt":"2/, '"createdAt":"3'), dataKeys, ...rest].join('\n'),
    );
    expect(await refusal('restore', [inFolder('dated')])).toMatch(/not as it was written/);
    expect(await refusal('restore', [inFolder('nowhere')])).toMatch(/ENOENT/);
    expect(await refusal('restore', [inFolder('erased')])).toMatch(/no backup of a key store/);
    await nothing();

    expect(await command('restore', [file, '--erased', inFolder('erased')])).toMatch(/^\d+ data keys .* are back/);
    expect(await rows('SELECT * FROM data_keys ORDER BY id')).toEqual(before.dataKeys);
    expect(await rows('SELECT * FROM person_keys WHERE erased_at IS NULL ORDER BY person_id')).toEqual(
      before.personKeys,
    );
    const gone = await rows<{ person_id: string }>('SELECT person_id FROM person_keys WHERE secret IS NULL');
    expect(gone.map(({ person_id: id }) => id).sort()).toEqual([...ids].sort());
    expect(await readsWith(current)).toBe(person.email);
    expect(
      await rows(`SELECT 1 FROM audit_events WHERE action IN ('key_store.restored', 'key_store.backed_up')`),
    ).toHaveLength(2);
  }, 180_000);

  it('that is whole is left as it is by a restore: a newer key encrypts, and whoever was erased since stays erased', async () => {
    const file = inFolder('older');
    await command('backup', [file]);
    const [old] = await rows<{ id: string }>(`SELECT id FROM data_keys WHERE purpose = 'fields' AND state = 'ACTIVE'`);
    const env = { ...service.stack.env, ...current };
    const newer = await withProtection({ env }, ({ rootKey }) => newDataKey(rootKey, 'fields', new Date()));
    await service.database.query('DELETE FROM data_keys WHERE id = $1', [old?.id]);
    await service.database.query(
      `INSERT INTO data_keys (id, purpose, state, wrapped, created_at) VALUES ($1, 'fields', 'ACTIVE', $2, now())`,
      [newer.id, newer.wrapped],
    );
    await service.database.query('UPDATE person_keys SET secret = NULL, erased_at = now() WHERE person_id = $1', [
      userId,
    ]);
    expect(await command('restore', [file])).toMatch(/^1 data keys and the keys of 0 persons are back .*; 0 persons/);
    expect(await rows('SELECT state FROM data_keys WHERE id = $1', [newer.id])).toEqual([{ state: 'ACTIVE' }]);
    expect(await rows('SELECT state FROM data_keys WHERE id = $1', [old?.id])).toEqual([{ state: 'RETIRING' }]);
    expect(await rows('SELECT secret FROM person_keys WHERE person_id = $1', [userId])).toEqual([{ secret: null }]);
    expect(await command('restore', [file])).toMatch(/^0 data keys and the keys of 0 persons are back/);
  }, 180_000);
});
