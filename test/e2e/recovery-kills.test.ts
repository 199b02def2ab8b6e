import { beforeAll, describe, expect, it } from '@jest/globals';

import type { ProcessName } from '../../tools/processes';
import { eventually } from '../support/eventually';
import { holdTable, someoneWaits } from '../support/hold';
import type { Answer } from '../support/http-client';
import { MFA_DISABLED_SUBJECT, type Protected, protectedPerson } from '../support/mfa';
import { logIn } from '../support/people';
import {
  approve,
  completeRecovery,
  mailedCompletionToken,
  RECOVERY_READY_SUBJECT,
  RECOVERY_SUBJECT,
  recoveryState,
  reviewer,
} from '../support/recovery';
import { useTestService } from '../support/service';

/** Longer than an activity may take before it is tried again, and a job before it is taken back. */
const RECOVERY_MS = 60_000;

/** As in kills.test.ts: each step is held in the middle of its work, the processes are killed there, and it is let go. */
describe('an account recovery survives SIGKILL of api and worker', () => {
  const service = useTestService({
    env: { MFA_RECOVERY_WAIT: '4s', MFA_RECOVERY_APPROVAL_WITHIN: '5m', MFA_RECOVERY_TOKEN_EXPIRES_IN: '5m' },
  });
  let owner: Protected;
  let support: Protected;
  let recoveryId = '';
  let token = '';

  beforeAll(async () => {
    [owner, support] = [await protectedPerson(service), await reviewer(service, 'SUPPORT')];
  });

  const killWhileHeld = async (table: string): Promise<void> => {
    const hold = await holdTable(service, table);
    try {
      await someoneWaits(service, table);
      for (const name of ['api', 'worker'] satisfies ProcessName[]) {
        await service.processes[name].kill();
        await service.processes[name].start();
      }
    } finally {
      await hold.release();
    }
  };
  /** As a client does whose answer was lost, under one key: asks until it is told. */
  const untilAnswered = (ask: (headers: Record<string, string>) => Promise<Answer>): Promise<Answer> => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    return eventually(
      'an answer',
      async () => {
        const answer = await ask(headers);
        return answer.status !== 503 && answer.body?.code !== 'idempotency_in_flight' && answer;
      },
      RECOVERY_MS,
    );
  };
  const mails = (subject: RegExp) => service.mailbox.to(owner.person.email, subject);

  it(
    'while it is being stored: one recovery, and its owner is told once',
    async () => {
      const { body } = await logIn(service, owner.person);
      const [answer] = await Promise.all([
        untilAnswered((headers) =>
          service.http.post('/v1/auth/mfa/recovery', { mfaToken: body.mfaToken as string }, { headers }),
        ),
        killWhileHeld('account_recoveries'),
      ]);
      expect(answer.status).toBe(202);
      recoveryId = answer.body.recoveryId as string;
      const { rows } = await service.database.query('SELECT id FROM account_recoveries WHERE user_id = $1', [
        owner.userId,
      ]);
      expect(rows).toEqual([{ id: recoveryId }]);
      await service.mailbox.waitFor(owner.person.email, RECOVERY_SUBJECT, 1, RECOVERY_MS);
    },
    2 * RECOVERY_MS,
  );

  it(
    'while support approves: one approval, and the token is mailed once',
    async () => {
      const [answer] = await Promise.all([
        untilAnswered((headers) => approve(service, support.token, recoveryId, headers)),
        killWhileHeld('account_recoveries'),
      ]);
      expect(answer.status).toBe(204);
      token = await mailedCompletionToken(service, owner.person.email, RECOVERY_MS);
      // At once, and half-way unless that time was over when the worker came back.
      const told = await mails(RECOVERY_SUBJECT);
      expect(new Set(told.map(({ messageId }) => messageId)).size).toBe(told.length);
      expect(told.length).toBeLessThanOrEqual(2);
    },
    2 * RECOVERY_MS,
  );

  it(
    'while the factors are being removed: the same request again succeeds, and its owner is told once',
    async () => {
      const [answer] = await Promise.all([
        untilAnswered((headers) => completeRecovery(service, token, owner.person.password, headers)),
        killWhileHeld('factors'),
      ]);
      expect(answer.status).toBe(204);
      expect(await recoveryState(service, recoveryId)).toBe('COMPLETED');
      const { rows } = await service.database.query(
        `SELECT (SELECT count(*)::int FROM factors WHERE user_id = $1) AS factors,
           (SELECT count(*)::int FROM recovery_codes WHERE user_id = $1) AS codes,
           (SELECT count(*)::int FROM sessions WHERE user_id = $1 AND ended_at IS NULL) AS sessions`,
        [owner.userId],
      );
      expect(rows).toEqual([{ factors: 0, codes: 0, sessions: 0 }]);
      await service.mailbox.waitFor(owner.person.email, MFA_DISABLED_SUBJECT, 1, RECOVERY_MS);
      expect((await logIn(service, owner.person)).body.accessToken).toEqual(expect.any(String));
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(await mails(MFA_DISABLED_SUBJECT)).toHaveLength(1);
      expect(await mails(RECOVERY_READY_SUBJECT)).toHaveLength(1);
    },
    2 * RECOVERY_MS,
  );
});
