import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JWK, jwtVerify } from 'jose';

import { DIST_DIR } from '../../tools/project';
import { eventually } from '../support/eventually';
import { newPerson, type Person, signUp } from '../support/people';
import { fullProof } from '../support/proofs';
import { type SecondApi, startSecondApi } from '../support/second-process';
import { useTestService } from '../support/service';
import { describeRun, withTemporal } from '../support/temporal';

/** The shortest times that the configuration allows: a new key every second, published for half a second before it signs. */
const TOKEN_MS = 4_000;
const OVERLAP_MS = 500;
const ENV = {
  RATE_LIMIT_MODE: 'observe',
  JWT_EXPIRES_IN: '4s',
  SIGNING_KEY_ROTATION_INTERVAL: '1s',
  SIGNING_KEY_OVERLAP: '500ms',
  // Logins are the load here, not what is measured.
  ARGON2_MEMORY_KIB: '8192',
  ARGON2_ITERATIONS: '1',
};
const SCHEDULE = 'signing-key-rotation';
const LOAD_MS = 30_000;

interface KeyRow {
  readonly id: string;
  readonly state: 'PENDING' | 'ACTIVE' | 'RETIRED';
  readonly created_at: Date;
  readonly activated_at: Date | null;
  readonly retired_at: Date | null;
}

let secondApi: SecondApi | undefined;
afterAll(async () => {
  await secondApi?.process.stop();
}, 30_000);
const service = useTestService({ env: ENV });
const person: Person = newPerson();

beforeAll(async () => {
  secondApi = await startSecondApi(service, ENV);
  await signUp(service, person);
}, 60_000);

const keys = async (): Promise<KeyRow[]> =>
  (await service.database.query<KeyRow>('SELECT * FROM signing_keys ORDER BY created_at')).rows;
const keyIn = async (state: KeyRow['state']): Promise<KeyRow | undefined> =>
  (await keys()).find((key) => key.state === state);
const published = async (http = service.http): Promise<string[]> => {
  const { body } = await http.get('/.well-known/jwks.json');
  return (body.keys as JWK[]).map(({ kid }) => String(kid));
};
const runRotateCommand = () =>
  promisify(execFile)(process.execPath, [join(DIST_DIR, 'tools', 'keys-rotate.js')], {
    env: { ...process.env, TEMPORAL_ADDRESS: service.stack.env['TEMPORAL_ADDRESS'] },
    timeout: 30_000,
  });

describe('keys rotated every second under load (key rotation that breaks clients)', () => {
  const failures: string[] = [];
  const signedWith = new Set<string>();
  let validations = 0;

  /** When a token expires, milliseconds since 1970. */
  const endOf = (token: string): number => (decodeJwt(token).exp ?? 0) * 1_000;

  /** A client as others write it: caches the key set for as long as it is told, and asks no sooner. */
  const outsider = (url: string) =>
    createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`), { cacheMaxAge: 0, cooldownDuration: 60_000 });

  /** A failure of a token whose time ended meanwhile says nothing: the machine was slow. */
  const tryOut = async (token: string, what: string, act: () => Promise<unknown>): Promise<void> => {
    validations += 1;
    try {
      await act();
    } catch (error) {
      if (Date.now() < endOf(token)) failures.push(`${what}: ${(error as Error).message}`);
    }
  };

  const validate = async (token: string, keySets: ReturnType<typeof outsider>[], when: string): Promise<void> => {
    const options = { issuer: 'meqenet.et', audience: 'meqenet-api', algorithms: ['ES256'], typ: 'at+jwt' };
    for (const [index, keySet] of keySets.entries())
      await tryOut(token, `${when} by outsider ${String(index)}`, () => jwtVerify(token, keySet, options));
    for (const [index, http] of [service.http, secondApi!.http].entries())
      await tryOut(token, `${when} by api ${String(index)}`, async () => {
        const { status } = await http.get('/v1/users/me', { token });
        if (status !== 200) throw new Error(String(status));
      });
  };

  const actAsPerson = async (until: number, index: number): Promise<void> => {
    const keySets = [outsider(service.apiUrl), outsider(secondApi!.url)];
    while (Date.now() < until) {
      const { status, body } = await (index % 2 === 0 ? service : { http: secondApi!.http }).http.post(
        '/v1/auth/login',
        { email: person.email, password: person.password },
      );
      if (status !== 200) {
        failures.push(`login: ${String(status)}`);
        continue;
      }
      const token = body.accessToken as string;
      signedWith.add(String(decodeProtectedHeader(token).kid));
      await validate(token, keySets, 'at once');
      // Late in its life too, when its key may have been retired. A second is left for a slow machine.
      if (Math.random() < 0.3) {
        await sleep(Math.max(0, endOf(token) - 1_500 - Date.now()));
        await validate(token, keySets, 'late');
      }
    }
  };

  fullProof(
    'not one validation fails, the worker being killed in the middle of a rotation',
    async () => {
      const until = Date.now() + LOAD_MS;
      const seen = new Map<string, KeyRow>();
      const watch = async (): Promise<void> => {
        while (Date.now() < until) {
          for (const key of await keys()) seen.set(key.id, key);
          await sleep(100);
        }
      };
      const killInTheMiddle = async (): Promise<void> => {
        await sleep(8_000);
        const pending = await eventually('a pending key', () => keyIn('PENDING'));
        await service.processes.worker.kill();
        await sleep(OVERLAP_MS * 2);
        // Nobody else goes on with it, and nobody is in need of it.
        expect((await keyIn('PENDING'))?.id).toBe(pending.id);
        await service.processes.worker.start();
        await eventually('the rotation to go on', async () =>
          (await keys()).some(({ id, state }) => id === pending.id && state !== 'PENDING'),
        );
      };
      await Promise.all([
        watch(),
        killInTheMiddle(),
        ...Array.from({ length: 4 }, (_, index) => actAsPerson(until, index)),
      ]);
      process.stdout.write(
        `key rotation: ${String(validations)} validations, ${String(signedWith.size)} keys signed, ${String(failures.length)} failed\n`,
      );
      expect(failures).toEqual([]);
      expect(validations).toBeGreaterThan(200);
      expect(signedWith.size).toBeGreaterThanOrEqual(5);
      // Published for the whole overlap before the first use; only the very first key had nothing to overlap with.
      const waits = [...seen.values()].flatMap(({ created_at, activated_at }) =>
        activated_at === null ? [] : [activated_at.getTime() - created_at.getTime()],
      );
      expect(waits.filter((waited) => waited < OVERLAP_MS).length).toBeLessThanOrEqual(1);
      expect(waits.length).toBeGreaterThan(5);
    },
    LOAD_MS + 60_000,
  );
});

describe('a rotation', () => {
  beforeAll(async () => {
    await withTemporal(service, (client) => client.schedule.getHandle(SCHEDULE).pause('for the test'));
    await eventually('rotations and retirements to end', async () => (await keys()).length === 1, 40_000);
  }, 60_000);

  it('on command publishes, signs, retires and removes, in this order', async () => {
    const [old] = await keys();
    // With nobody to carry it out yet, so that the second order certainly comes while the first one runs: it starts nothing.
    await service.processes.worker.stop();
    for (let order = 0; order < 2; order += 1)
      expect((await runRotateCommand()).stdout).toMatch(/runs as signing-key-rotation-/);
    const [pending] = await Promise.all([
      eventually('a pending key', () => keyIn('PENDING')),
      service.processes.worker.start(),
    ]);
    for (const http of [service.http, secondApi!.http])
      await eventually('both keys to be published', async () => {
        const ids = await published(http);
        return ids.includes(pending.id) && ids.includes(old!.id);
      });
    await eventually('the new key to sign', async () => (await keyIn('ACTIVE'))?.id === pending.id);
    expect((await keyIn('RETIRED'))?.id).toBe(old!.id);
    await eventually('its use on both processes, without a restart', async () => {
      const answers = await Promise.all(
        [service.http, secondApi!.http].map((http) =>
          http.post('/v1/auth/login', { email: person.email, password: person.password }),
        ),
      );
      return answers.every(({ body }) => decodeProtectedHeader(body.accessToken as string).kid === pending.id);
    });
    const retired = (await keyIn('RETIRED'))!;
    await eventually('the removal of the old key', async () => (await keys()).length === 1);
    expect(Date.now() - retired.retired_at!.getTime()).toBeGreaterThanOrEqual(TOKEN_MS + OVERLAP_MS);
    await eventually('the new key alone', async () => String(await published()) === pending.id);
  }, 60_000);

  it('is told in plain words', async () => {
    const { runId, workflowId } = await withTemporal(service, async (client) => {
      for await (const run of client.workflow.list({
        query: `WorkflowType = 'signingKeyRotation' AND ExecutionStatus = 'Completed'`,
      }))
        return run;
      throw new Error('There is none');
    });
    const run = await describeRun(service, runId);
    expect(workflowId).toMatch(/^signing-key-rotation/);
    expect(run.staticSummary).toBe('A new key comes to sign access tokens');
    expect(run.currentDetails).toMatch(/^Key \S+ signs\./);
    expect(run.raw).not.toContain('signs.');
  });

  it('leaves the schedule as the operator has it when a worker starts', async () => {
    await service.processes.worker.restart();
    const { state, policies, spec } = await withTemporal(service, (client) =>
      client.schedule.getHandle(SCHEDULE).describe(),
    );
    expect(state).toMatchObject({ paused: true, note: 'for the test' });
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 86_400_000 });
    expect(spec.intervals).toEqual([expect.objectContaining({ every: 1_000 })]);
  }, 40_000);

  it('is what the key set may be cached for', async () => {
    const { headers } = await service.http.get('/.well-known/jwks.json');
    expect(headers.get('cache-control')).toBe('public, max-age=0');
  });

  it('keeps private keys encrypted in the database', async () => {
    const { rows } = await service.database.query('SELECT t::text AS line FROM signing_keys t');
    expect(JSON.stringify(rows)).not.toMatch(/PRIVATE KEY|"d"/);
  });
});
