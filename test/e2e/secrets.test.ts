import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';

import { variablesThatAre } from '../../src/config/sections';
import { createProcesses } from '../../tools/processes';
import { SERVICE_ROLE } from '../../tools/stack/postgres';
import { eventually } from '../support/eventually';
import { createMoto, type Moto } from '../support/moto';
import { logIn, newPerson, signUp } from '../support/people';
import { startTestService, type TestService } from '../support/start-test-service';

/** A JSON object of most secrets, and a secret of its own for the one that is rotated. */
const JSON_SECRET = 'meqenet/auth';
const URL_SECRET = 'meqenet/auth/DATABASE_URL';
const START_TIMEOUT_MS = 90_000;

describe('secrets in AWS Secrets Manager', () => {
  let moto: Moto;
  let service: TestService;
  let manager: SecretsManagerClient;
  let superuser: Client;
  let env: Record<string, string>;
  /** What must not be seen anywhere. */
  const values: string[] = [];
  let databaseUrl = '';

  const create = (Name: string, SecretString: string) => manager.send(new CreateSecretCommand({ Name, SecretString }));
  const put = (SecretId: string, SecretString: string) =>
    manager.send(new PutSecretValueCommand({ SecretId, SecretString }));
  const log = (name: string) => readFileSync(join(service.stack.logDir, `${name}.log`), 'utf8');
  const urlWith = (password: string): string => {
    const url = new URL(databaseUrl);
    url.password = password;
    return url.href;
  };
  const storeSecrets = async (): Promise<void> => {
    const secrets = Object.fromEntries(
      variablesThatAre('secret')
        .map((name) => [name, service.stack.env[name] ?? ''] as const)
        .filter(([, value]) => value !== ''),
    );
    const { DATABASE_URL: _, ...rest } = secrets;
    values.push(...Object.values(rest), new URL(databaseUrl).password);
    await create(JSON_SECRET, JSON.stringify({ ...rest, OF_ANOTHER_PROGRAM: 'x' }));
    await create(URL_SECRET, databaseUrl);
  };

  beforeAll(async () => {
    moto = await createMoto();
    await moto.start();
    manager = new SecretsManagerClient(moto.client);
    env = {
      ...Object.fromEntries(variablesThatAre('secret').map((name) => [name, ''])),
      ...moto.env,
      SECRETS_PROVIDER: 'aws-secrets-manager',
      SECRETS_MANAGER_ENDPOINT: moto.endpoint,
      SECRETS_MANAGER_SECRET_IDS: JSON_SECRET,
      SECRETS_MANAGER_PREFIX: `${JSON_SECRET}/`,
      SECRETS_REFRESH_INTERVAL: '1h',
    };
    service = await startTestService({ processes: [], env });
    superuser = new Client({ connectionString: service.stack.postgres?.superuserUrl });
    await superuser.connect();
    databaseUrl = service.stack.env['DATABASE_URL'] ?? '';
    await storeSecrets();
    await Promise.all((['api', 'worker', 'consumer'] as const).map((name) => service.processes[name].start()));
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await superuser.end();
    await service.stop();
    await moto.remove();
  }, START_TIMEOUT_MS);

  it('are what the processes run on', async () => {
    const person = newPerson();
    await signUp(service, person);
    expect(await logIn(service, person)).toMatchObject({ status: 200 });
    expect(log('api')).toContain('OF_ANOTHER_PROGRAM');
  });

  it('a rotated database password is taken over without a failed request and without a restart', async () => {
    const person = newPerson();
    await signUp(service, person);
    const { accessToken } = (await logIn(service, person)).body;
    const pids = Object.values(service.processes).map(({ pid }) => pid);
    const failures: unknown[] = [];
    let answered = 0;
    let paused: Promise<unknown> = Promise.resolve();
    let over = false;
    const load = async (): Promise<void> => {
      while (!over) {
        await paused;
        const headers = { authorization: `Bearer ${String(accessToken)}` };
        const { status } = await service.http
          .get('/v1/users/me', { headers })
          .catch((error: unknown) => ({ status: error }));
        if (status === 200) answered += 1;
        else failures.push(status);
      }
    };
    /** Ends every connection of the service while no request is on one: each must be made anew, with a password. */
    const disconnectAll = async (): Promise<number> => {
      let resume: () => void = () => undefined;
      paused = new Promise<void>((resolve) => (resume = resolve));
      await sleep(300);
      const { rowCount } = await superuser.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1',
        [SERVICE_ROLE],
      );
      await sleep(100);
      resume();
      return rowCount ?? 0;
    };
    const loading = Array.from({ length: 4 }, load);
    await eventually('some answers', () => Promise.resolve(answered > 50));

    const password = randomBytes(18).toString('base64url');
    values.push(password);
    await superuser.query(`ALTER ROLE ${SERVICE_ROLE} PASSWORD '${password}'`);
    const before = answered;
    await eventually('connections that stay', () => Promise.resolve(answered > before + 50));
    // The role has the new password and the secret not yet.
    expect(await disconnectAll()).toBeGreaterThan(0);
    await sleep(1_200);
    databaseUrl = urlWith(password);
    await put(URL_SECRET, databaseUrl);
    const between = answered;
    await eventually('new connections', () => Promise.resolve(answered > between + 50));
    expect(await disconnectAll()).toBeGreaterThan(0);
    const after = answered;
    await eventually('more new connections', () => Promise.resolve(answered > after + 50));
    over = true;
    await Promise.all(loading);

    expect(failures).toEqual([]);
    const another = newPerson();
    expect(await signUp(service, another)).toMatchObject({ status: 201 });
    await service.mailbox.waitFor(another.email, /Welcome/);
    expect(Object.values(service.processes).map(({ pid }) => pid)).toEqual(pids);
    expect(log('api')).toContain('secrets taken over');
    expect(await (await fetch(`${service.apiUrl}/metrics`)).text()).toMatch(
      /secrets_refreshes_total\{outcome="read"\} [1-9]/,
    );
  }, 60_000);

  it('of the gateway can be a secret of its own that holds nothing else', async () => {
    await create('meqenet/gateway', JSON.stringify({ GATEWAY_SECRET: service.stack.env['GATEWAY_SECRET'] }));
    const { gateway } = createProcesses(service.stack, {
      env: { ...env, SECRETS_MANAGER_SECRET_IDS: 'meqenet/gateway', SECRETS_MANAGER_PREFIX: '' },
    });
    await gateway.start();
    const keys = await fetch(`${service.gatewayUrl}/.well-known/jwks.json`);
    await gateway.stop();
    expect(keys.status).toBe(200);
  });

  it('that cannot be read, or are unusable, leave the last ones in use', async () => {
    const { consumer } = createProcesses(service.stack, { env: { ...env, SECRETS_REFRESH_INTERVAL: '1s' } });
    await service.processes.consumer.stop();
    await consumer.start();
    const { pid } = consumer;
    const metric = async (outcome: string): Promise<number> => {
      const text = await (
        await fetch(`http://127.0.0.1:${String(service.stack.ports.consumerMetrics)}/metrics`)
      ).text();
      return Number(new RegExp(`secrets_refreshes_total\\{outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1]);
    };
    const grows = async (outcome: string): Promise<void> => {
      const before = await metric(outcome);
      await eventually(outcome, async () => (await metric(outcome)) > before + 1);
    };
    const ready = async () =>
      (await fetch(`http://127.0.0.1:${String(service.stack.ports.consumerMetrics)}/readyz`)).status;
    try {
      await grows('read');
      await put(URL_SECRET, 'mysql://kanarienvogel@nowhere');
      await grows('refused');
      expect(await ready()).toBe(200);
      await moto.kill();
      await grows('failed');
      expect(await ready()).toBe(200);
      expect(consumer.pid).toBe(pid);
      await moto.start();
      await storeSecrets();
      await grows('read');
      expect(log('consumer')).toMatch(/DATABASE_URL: must be a postgresql or postgres URL/);
      expect(log('consumer')).toMatch(/secrets cannot be read; the last ones go on/);
      expect(log('consumer')).not.toContain('kanarienvogel');
    } finally {
      await consumer.stop();
    }
  }, 60_000);

  it.each([
    [
      'a secret that is not there',
      { SECRETS_MANAGER_SECRET_IDS: 'meqenet/none' },
      /meqenet\/none cannot be read \(ResourceNotFoundException\)/,
    ],
    [
      'a provider that does not answer',
      { SECRETS_MANAGER_ENDPOINT: 'http://127.0.0.1:1' },
      /meqenet\/auth.* cannot be read \(ECONNREFUSED\)/,
    ],
    [
      'no secret named',
      { SECRETS_MANAGER_SECRET_IDS: '', SECRETS_MANAGER_PREFIX: '' },
      /needs SECRETS_MANAGER_SECRET_IDS or SECRETS_MANAGER_PREFIX/,
    ],
    ['a secret set twice', { TOKEN_KEY: 'kanarienvogel' }, /TOKEN_KEY: set one of/],
    ['a secret missing', { SECRETS_MANAGER_PREFIX: '' }, /DATABASE_URL: is required and not set/],
  ])('ends with 78 at the start: %s', async (_what, wrong, message) => {
    const { 'codec-server': server } = createProcesses(service.stack, { env: { ...env, ...wrong } });
    const failure = await server.start().then(
      () => new Error('started'),
      (error: unknown) => error as Error,
    );
    await server.stop();
    expect(failure.message).toMatch(/exit code 78/);
    expect(failure.message).toMatch(message);
    expect(failure.message).not.toContain('kanarienvogel');
  });

  it('are in no log', () => {
    for (const name of ['api', 'worker', 'consumer', 'codec-server', 'gateway']) {
      for (const value of values) expect(log(name)).not.toContain(value);
    }
  });
});
