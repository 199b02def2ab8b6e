import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually';
import { holdTable, someoneWaits } from '../support/hold';
import type { Answer, HttpClient } from '../support/http-client';
import {
  countSessions,
  expectReplayOf,
  isReplayed,
  newKey,
  postWithKey,
  repeatUntilDone,
} from '../support/idempotency';
import { fateOf, killWhileHeld, RECOVERY_MS } from '../support/kills';
import { logIn, mailedCode, newPerson, type Person, register, signUp, WELCOME_SUBJECT } from '../support/people';
import { expectProblem } from '../support/problems';
import { fullProof } from '../support/proofs';
import { type SecondApi, startSecondApi } from '../support/second-process';
import { useTestService } from '../support/service';

/** The longest that a key stays with a process that was killed, milliseconds. */
const LEASE_MS = 8_000;
const START_TIMEOUT_MS = 60_000;
const ENV = { RATE_LIMIT_MODE: 'observe' };

let second: SecondApi;
// Hooks run in the order in which they are registered: this one before the stack stops.
afterAll(() => second.process.stop(), START_TIMEOUT_MS);
const service = useTestService({ env: ENV });
beforeAll(async () => {
  second = await startSecondApi(service, { ...ENV, REQUEST_TIMEOUT: '2s' });
}, START_TIMEOUT_MS);

const login = (http: HttpClient, key: string, { email, password }: Person): Promise<Answer> =>
  postWithKey(http, '/v1/auth/login', key, { email, password });

/** Sends a request, kills the api in the midst of it, and starts it again. */
const killDuring = async (table: string, send: () => Promise<Answer>): Promise<void> => {
  expect(await killWhileHeld(service, table, () => fateOf(send()), ['api'])).toBe('lost');
};

/** Nobody has the answer yet; then somebody takes the key over, within its lease. */
const repeatAfterKill = async (send: () => Promise<Answer>): Promise<Answer> => {
  const begin = Date.now();
  const { answer } = await repeatUntilDone(send, LEASE_MS + 5_000);
  expect(Date.now() - begin).toBeLessThan(LEASE_MS + 5_000);
  expect(isReplayed(answer)).toBe(false);
  expectReplayOf(answer, await send());
  return answer;
};

describe('a request whose api is killed with SIGKILL in the midst of it', () => {
  const person = newPerson();
  let userId = '';
  beforeAll(async () => {
    userId = (await signUp(service, person)).body.user.id as string;
  });

  /** The code was right; api is killed at one place or another, and the client repeats what it sent. */
  const verifyAcrossKill = async (table: string): Promise<void> => {
    const [who, key] = [newPerson(), newKey()];
    const id = (await register(service, who)).body.registrationId as string;
    const code = await mailedCode(service, who.email);
    const send = () => postWithKey(service.http, `/v1/auth/register/${id}/verify`, key, { code });
    await killDuring(table, send);
    const answer = await repeatAfterKill(send);
    expect(answer.status).toBe(201);
    const token = answer.body.accessToken as string;
    const me = await service.http.get('/v1/users/me', { token });
    expect(me).toMatchObject({ status: 200, body: { id: answer.body.user.id, email: who.email } });

    await service.mailbox.waitFor(who.email, WELCOME_SUBJECT, 1, RECOVERY_MS);
    expect((await logIn(service, who)).status).toBe(200);
    const { rows } = await service.database.query(
      `SELECT user_id FROM registrations WHERE id = $1 AND status = 'COMPLETED' AND failed_attempts = 0`,
      [id],
    );
    expect(rows).toEqual([{ user_id: answer.body.user.id }]);
    // The key is what makes it the same request: anybody else is told that the code is used.
    const other = await postWithKey(service.http, `/v1/auth/register/${id}/verify`, newKey(), { code });
    expect(other).toMatchObject({ status: 409, body: { code: 'registration_completed' } });
    expect(await service.mailbox.to(who.email, WELCOME_SUBJECT)).toHaveLength(1);
  };

  it(
    'while the worker opens the account: the repeated verification gets its session',
    () => verifyAcrossKill('users'),
    2 * RECOVERY_MS,
  );

  fullProof(
    'after the account was opened: the repeated verification gets its session',
    () => verifyAcrossKill('sessions'),
    2 * RECOVERY_MS,
  );

  fullProof(
    'a login: the key is not stuck, and the repeated request is answered once and for all',
    async () => {
      const [key, before] = [newKey(), await countSessions(service, { userId })];
      await killDuring('sessions', () => login(service.http, key, person));
      const answer = await repeatAfterKill(() => login(second.http, key, person));
      expect(answer.status).toBe(200);
      expectReplayOf(answer, await login(service.http, key, person));
      // What Postgres did for the dead one without anybody hearing of it is a session whose tokens nobody has.
      expect((await countSessions(service, { userId })) - before).toBeLessThanOrEqual(2);
    },
    2 * RECOVERY_MS,
  );

  it(
    'a registration, while Temporal does not answer: one registration, one mail, one account',
    async () => {
      const [who, key] = [newPerson(), newKey()];
      const send = () => postWithKey(service.http, '/v1/auth/register', key, who);
      const { pid = 0 } = service.stack.temporal ?? {};
      process.kill(pid, 'SIGSTOP');
      try {
        const fate = fateOf(send());
        await eventually('the key to be taken', async () => {
          const { rows } = await service.database.query(
            'SELECT 1 FROM idempotency_keys WHERE answer_ciphertext IS NULL AND lease_expires_at > now()',
          );
          return rows.length > 0;
        });
        // Hashing goes before, so that the start is on its way.
        await new Promise((resolve) => setTimeout(resolve, 500));
        await service.processes.api.kill();
        expect(await fate).toBe('lost');
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await service.processes.api.start();
      const answer = await repeatAfterKill(send);
      expect(answer.status).toBe(202);
      const code = await mailedCode(service, who.email);
      const path = `/v1/auth/register/${String(answer.body.registrationId)}/verify`;
      expect((await postWithKey(service.http, path, newKey(), { code })).status).toBe(201);
      await service.mailbox.waitFor(who.email, WELCOME_SUBJECT, 1, RECOVERY_MS);
      expect(await service.mailbox.to(who.email)).toHaveLength(2);
    },
    2 * RECOVERY_MS,
  );

  fullProof(
    'and one that was only frozen, and overtaken, changes nothing of what was recorded',
    async () => {
      const key = newKey();
      const { pid = 0 } = service.processes.api;
      const hold = await holdTable(service, 'sessions');
      const frozen = login(service.http, key, person);
      try {
        await someoneWaits(service, 'sessions');
        process.kill(pid, 'SIGSTOP');
        await service.database.query(
          `UPDATE idempotency_keys SET lease_expires_at = now() - interval '1 second' WHERE answer_ciphertext IS NULL`,
        );
      } finally {
        await hold.release();
      }
      const overtaking = await login(second.http, key, person);
      process.kill(pid, 'SIGCONT');
      expect(overtaking.status).toBe(200);
      expect(isReplayed(overtaking)).toBe(false);
      const late = await frozen;
      expect(late.status).toBe(200);
      expect(late.body.sessionId).not.toBe(overtaking.body.sessionId);
      for (const http of [service.http, second.http]) expectReplayOf(overtaking, await login(http, key, person));
    },
    RECOVERY_MS,
  );
});

describe('a request that outlives its deadline', () => {
  it(
    'goes on holding its key, and its answer is there for the repetition',
    async () => {
      const who = newPerson();
      await signUp(service, who);
      const key = newKey();
      const leaseEnd = async (): Promise<number> => {
        const { rows } = await service.database.query<{ end: Date }>(
          'SELECT max(lease_expires_at) AS end FROM idempotency_keys WHERE answer_ciphertext IS NULL',
        );
        return rows[0]?.end.getTime() ?? 0;
      };
      const hold = await holdTable(service, 'sessions');
      try {
        const first = login(second.http, key, who);
        await someoneWaits(service, 'sessions');
        const end = await leaseEnd();
        expectProblem(await first, { status: 503, code: 'service_unavailable' });
        expectProblem(await login(service.http, key, who), { status: 409, code: 'idempotency_in_flight' });
        await eventually('the lease to be renewed', async () => (await leaseEnd()) > end + 2_000);
      } finally {
        await hold.release();
      }
      const { answer } = await repeatUntilDone(() => login(service.http, key, who), 5_000);
      expect(answer.status).toBe(200);
      expect(isReplayed(answer)).toBe(true);
      const token = answer.body.accessToken as string;
      expect((await service.http.get('/v1/users/me', { token })).status).toBe(200);
    },
    RECOVERY_MS,
  );
});
