import { describe, expect, it } from '@jest/globals';

import { join } from '../support/contact';
import { holdTable, someoneWaits } from '../support/hold';
import { killAll, killWhileHeld, RECOVERY_MS, untilAnswered } from '../support/kills';
import {
  appCode,
  askLoginCode,
  completeLogin,
  confirm,
  enroll,
  enrollSent,
  FACTOR_CODE_SUBJECT,
  listFactors,
  mailedFactorCode,
  MFA_ENABLED_SUBJECT,
} from '../support/mfa';
import { logIn, welcomed } from '../support/people';
import { fullProof } from '../support/proofs';
import { useTestService } from '../support/service';

/** As in kills.test.ts: each step is held in the middle of its work, the processes are killed there, and it is let go. */
describe('the enrolment of a second factor survives SIGKILL of api and worker', () => {
  const service = useTestService();

  const member = async () => {
    const somebody = await join(service);
    await welcomed(service, somebody.person);
    return somebody;
  };
  const begin = async (token: string) =>
    (await enroll(service, token)).body as { enrollmentId: string; secret: string };
  /** One factor, ten recovery codes, one mail. */
  const expectEnrolled = async (token: string, email: string): Promise<void> => {
    const { body } = await listFactors(service, token);
    expect(body).toMatchObject({ factors: [{ factor: 'totp' }], recoveryCodesLeft: 10 });
    await service.mailbox.waitFor(email, MFA_ENABLED_SUBJECT, 1, RECOVERY_MS);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await service.mailbox.to(email, MFA_ENABLED_SUBJECT)).toHaveLength(1);
  };

  it(
    'while the secret is being stored: one enrolment, and its secret is told',
    async () => {
      const { token, person, userId } = await member();
      const answer = await killWhileHeld(service, 'mfa_enrollments', () =>
        untilAnswered((headers) => enroll(service, token, {}, headers)),
      );
      expect(answer.status).toBe(201);
      const { rows } = await service.database.query('SELECT 1 FROM mfa_enrollments WHERE user_id = $1', [userId]);
      expect(rows).toHaveLength(1);
      const { enrollmentId, secret } = answer.body as { enrollmentId: string; secret: string };
      expect((await confirm(service, token, enrollmentId, appCode(secret))).status).toBe(200);
      await expectEnrolled(token, person.email);
    },
    2 * RECOVERY_MS,
  );

  fullProof.each(['factors', 'recovery_codes'])(
    'while the factor is put in force and %s is being written: the same recovery codes for the repetition',
    async (table) => {
      const { token, person } = await member();
      const { enrollmentId, secret } = await begin(token);
      // Of the step to come: it stays good while nobody answers.
      const code = appCode(secret, 1);
      // A repetition is the same request, so it has the same code; the update that was accepted is tried once only.
      const answer = await killWhileHeld(service, table, () =>
        untilAnswered((headers) => confirm(service, token, enrollmentId, code, headers)),
      );
      expect(answer.status).toBe(200);
      expect(answer.body.recoveryCodes).toHaveLength(10);
      await expectEnrolled(token, person.email);
    },
    2 * RECOVERY_MS,
  );

  fullProof(
    'while it waits for the code',
    async () => {
      const { token, person } = await member();
      const { enrollmentId, secret } = await begin(token);
      const code = appCode(secret, 1);
      await killAll(service);
      expect((await untilAnswered((headers) => confirm(service, token, enrollmentId, code, headers))).status).toBe(200);
      await expectEnrolled(token, person.email);
    },
    2 * RECOVERY_MS,
  );

  fullProof(
    'while a code is on its way: it is sent once, and works',
    async () => {
      const somebody = await member();
      const { email } = somebody.person;
      await enrollSent(service, somebody);
      const mfaToken = (await logIn(service, somebody.person)).body.mfaToken as string;
      const hold = await holdTable(service, 'mail_deliveries');
      try {
        expect((await askLoginCode(service, mfaToken, 'email_otp')).status).toBe(202);
        await someoneWaits(service, 'mail_deliveries');
        await killAll(service);
      } finally {
        await hold.release();
      }
      await service.mailbox.waitFor(email, FACTOR_CODE_SUBJECT, 2, RECOVERY_MS);
      const code = await mailedFactorCode(service, email, 2);
      expect((await completeLogin(service, mfaToken, code, 'email_otp')).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(await service.mailbox.to(email, FACTOR_CODE_SUBJECT)).toHaveLength(2);
    },
    2 * RECOVERY_MS,
  );

  it('while Temporal is away no code is promised, and none is counted', async () => {
    const somebody = await member();
    await enrollSent(service, somebody);
    const mfaToken = (await logIn(service, somebody.person)).body.mfaToken as string;
    const { pid = 0 } = service.stack.temporal ?? {};
    process.kill(pid, 'SIGSTOP');
    try {
      expect((await askLoginCode(service, mfaToken, 'email_otp')).status).toBe(503);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect((await askLoginCode(service, mfaToken, 'email_otp')).status).toBe(202);
  });

  fullProof(
    'while the notice is being enqueued',
    async () => {
      const { token, person } = await member();
      const { enrollmentId, secret } = await begin(token);
      const { pid = 0 } = service.stack.valkey ?? {};
      process.kill(pid, 'SIGSTOP');
      try {
        expect((await confirm(service, token, enrollmentId, appCode(secret))).status).toBe(200);
        await service.processes.consumer.kill();
        await killAll(service);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await service.processes.consumer.start();
      await expectEnrolled(token, person.email);
    },
    2 * RECOVERY_MS,
  );
});
