import { beforeAll, describe, expect, it } from '@jest/globals';

import { killWhileHeld, RECOVERY_MS, untilAnswered } from '../support/kills';
import { MFA_DISABLED_SUBJECT, type Protected, protectedPerson } from '../support/mfa';
import { logIn } from '../support/people';
import { fullProof } from '../support/proofs';
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

  const mails = (subject: RegExp) => service.mailbox.to(owner.person.email, subject);

  it(
    'while it is being stored: one recovery, and its owner is told once',
    async () => {
      const { body } = await logIn(service, owner.person);
      const answer = await killWhileHeld(service, 'account_recoveries', () =>
        untilAnswered((headers) =>
          service.http.post('/v1/auth/mfa/recovery', { mfaToken: body.mfaToken as string }, { headers }),
        ),
      );
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

  fullProof(
    'while support approves: one approval, and the token is mailed once',
    async () => {
      const answer = await killWhileHeld(service, 'account_recovery_approvals', () =>
        untilAnswered((headers) => approve(service, support.token, recoveryId, headers)),
      );
      expect(answer.status).toBe(204);
      const { rows } = await service.database.query(
        `SELECT (SELECT count(*)::int FROM account_recovery_approvals WHERE recovery_id = $1) AS approvals,
           (SELECT count(*)::int FROM audit_events WHERE action = 'mfa.recovery_approved' AND subject_id = $2) AS events`,
        [recoveryId, owner.userId],
      );
      expect(rows).toEqual([{ approvals: 1, events: 1 }]);
      token = await mailedCompletionToken(service, owner.person.email, RECOVERY_MS);
      // At once, and half-way unless that time was over when the worker came back.
      const told = await mails(RECOVERY_SUBJECT);
      expect(new Set(told.map(({ messageId }) => messageId)).size).toBe(told.length);
      expect(told.length).toBeLessThanOrEqual(2);
    },
    2 * RECOVERY_MS,
  );

  fullProof(
    'while the factors are being removed: the same request again succeeds, and its owner is told once',
    async () => {
      const answer = await killWhileHeld(service, 'factors', () =>
        untilAnswered((headers) => completeRecovery(service, token, owner.person.password, headers)),
      );
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
