import { describe, expect, it } from '@jest/globals';

import type { ProcessName } from '../../src/config/processes';
import { eventually } from '../support/eventually';
import { dropWaiting, holdTable, someoneWaits } from '../support/hold';
import { expectReplayOf, isReplayed, newKey, postWithKey, repeatUntilDone } from '../support/idempotency';
import { fateOf, killAll, killWhileHeld, RECOVERY_MS } from '../support/kills';
import { forgot, mailedToken, PASSWORD_CHANGED_SUBJECT, RESET_SUBJECT, resetPassword } from '../support/passwords';
import { logIn, newPerson, type Person, signUp, welcomed } from '../support/people';
import { fullProof } from '../support/proofs';
import { useTestService } from '../support/service';

const NEW_PASSWORD = 'quite another long secret';

/** As in kills.test.ts: each step is held in the middle of its work, the processes are killed there, and it is let go. */
describe('a password reset survives SIGKILL of api and worker', () => {
  const service = useTestService();

  const account = async () => {
    const person = newPerson();
    const { body } = await signUp(service, person);
    // So that what is held below is the reset's.
    await welcomed(service, person);
    return { person, token: body.accessToken as string };
  };
  /** The new password works, the old one and the session do not, and there is one mail of each kind. */
  const expectReset = async (person: Person, accessToken: string): Promise<void> => {
    await service.mailbox.waitFor(person.email, PASSWORD_CHANGED_SUBJECT, 1, RECOVERY_MS);
    expect((await logIn(service, { ...person, password: NEW_PASSWORD })).status).toBe(200);
    expect((await logIn(service, person)).status).toBe(401);
    expect((await service.http.get('/v1/users/me', { token: accessToken })).status).toBe(401);
    expect(await service.mailbox.to(person.email, RESET_SUBJECT)).toHaveLength(1);
    expect(await service.mailbox.to(person.email, PASSWORD_CHANGED_SUBJECT)).toHaveLength(1);
  };

  fullProof.each(['password_resets', 'mail_deliveries'])(
    'while it waits for %s to be written after it was asked for',
    async (table) => {
      const { person, token } = await account();
      const hold = await holdTable(service, table);
      expect((await forgot(service, person.email)).status).toBe(202);
      await someoneWaits(service, table);
      await killAll(service);
      await hold.release();
      const link = await mailedToken(service, person.email, 1, RECOVERY_MS);
      expect((await resetPassword(service, link, NEW_PASSWORD)).status).toBe(204);
      await expectReset(person, token);
    },
    2 * RECOVERY_MS,
  );

  fullProof(
    'while the new password is being set',
    async () => {
      const { person, token } = await account();
      await forgot(service, person.email);
      const link = await mailedToken(service, person.email);
      const setting = () => fateOf(resetPassword(service, link, NEW_PASSWORD));
      expect(await killWhileHeld(service, 'password_credentials', setting)).toBe('lost');
      // As a client does whose answer was lost: the lost request may have been the one that set it.
      const answer = await eventually(
        'an answer to the new password',
        async () => {
          const { status } = await resetPassword(service, link, NEW_PASSWORD);
          return status !== 503 && status;
        },
        RECOVERY_MS,
      );
      expect([204, 422]).toContain(answer);
      await expectReset(person, token);
    },
    2 * RECOVERY_MS,
  );

  type Request = () => Promise<'answered' | 'lost'>;
  /** Sends it under a key, kills the api somewhere in it, and repeats it as a client does whose answer was lost. */
  const resetAcrossKill = async (killDuring: (request: Request) => ReturnType<Request>): Promise<void> => {
    const { person, token } = await account();
    await forgot(service, person.email);
    const body = { token: await mailedToken(service, person.email), newPassword: NEW_PASSWORD };
    const key = newKey();
    const send = () => postWithKey(service.http, '/v1/auth/password/reset', key, body);
    expect(await killDuring(() => fateOf(send()))).toBe('lost');
    const { answer } = await repeatUntilDone(send, RECOVERY_MS);
    expect([answer.status, isReplayed(answer)]).toEqual([204, false]);
    expectReplayOf(answer, await send());
    // The key is what makes it the same request: anybody else is told that the token is used.
    expect((await resetPassword(service, body.token, NEW_PASSWORD)).status).toBe(422);
    await expectReset(person, token);
  };

  it(
    'while the new password is being set: the same request again succeeds',
    () => resetAcrossKill((request) => killWhileHeld(service, 'password_credentials', request)),
    2 * RECOVERY_MS,
  );

  fullProof(
    'after the new password was set and before the answer: the same request again succeeds',
    () =>
      resetAcrossKill(async (request) => {
        const passwords = await holdTable(service, 'password_credentials');
        const fate = request();
        await someoneWaits(service, 'password_credentials');
        const keys = await holdTable(service, 'idempotency_keys');
        await passwords.release();
        try {
          await eventually('the new password', async () => {
            const { rows } = await service.database.query<{ status: string }>(
              'SELECT status FROM password_resets ORDER BY created_at DESC LIMIT 1',
            );
            return rows[0]?.status === 'COMPLETED';
          });
          await someoneWaits(service, 'idempotency_keys');
          await service.processes.api.kill();
          await dropWaiting(service, 'idempotency_keys');
        } finally {
          await keys.release();
        }
        await service.processes.api.start();
        return fate;
      }),
    2 * RECOVERY_MS,
  );

  fullProof(
    'while the notice is being enqueued',
    async () => {
      const { person, token } = await account();
      await forgot(service, person.email);
      const link = await mailedToken(service, person.email);
      const { pid = 0 } = service.stack.valkey ?? {};
      process.kill(pid, 'SIGSTOP');
      try {
        expect((await resetPassword(service, link, NEW_PASSWORD)).status).toBe(204);
        await service.processes.consumer.kill();
        for (const name of ['api', 'worker'] satisfies ProcessName[]) {
          await service.processes[name].kill();
          await service.processes[name].start();
        }
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await service.processes.consumer.start();
      await expectReset(person, token);
    },
    2 * RECOVERY_MS,
  );
});
