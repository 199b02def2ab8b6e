import { describe, expect, it } from '@jest/globals';

import { auditEventsOf } from '../support/audit';
import {
  askEmail,
  askPhone,
  confirmEmail,
  confirmPhone,
  EMAIL_CHANGED_SUBJECT,
  EMAIL_CODE_SUBJECT,
  EMAIL_REQUESTED_SUBJECT,
  emailCode,
  join,
  me,
  PHONE_CHANGED_SUBJECT,
  provePhone,
  smsCode,
  smsNow,
  smsTo,
} from '../support/contact';
import { killWhileHeld, RECOVERY_MS, untilAnswered } from '../support/kills';
import { newPerson, newPhone, welcomed } from '../support/people';
import { fullProof } from '../support/proofs';
import { useTestService } from '../support/service';

const settle = () => new Promise((resolve) => setTimeout(resolve, 1_500));

/** As in kills.test.ts: each step is held in the middle of its work, the processes are killed there, and it is let go. */
describe('a change of phone or address survives SIGKILL of api and worker', () => {
  const service = useTestService();

  const member = async () => {
    const somebody = await join(service);
    // So that what is held below is the change's.
    await welcomed(service, somebody.person);
    return somebody;
  };
  fullProof(
    'while the code is being stored: one code, one SMS',
    async () => {
      const { token, userId } = await member();
      const phone = newPhone();
      const answer = await killWhileHeld(service, 'contact_changes', () =>
        untilAnswered((headers) => askPhone(service, token, phone, headers)),
      );
      expect(answer.status).toBe(202);
      const code = await smsCode(service, phone, 1, RECOVERY_MS);
      const confirmed = await untilAnswered((headers) => confirmPhone(service, token, code, headers));
      expect([confirmed.status, confirmed.body.phone]).toEqual([200, phone]);
      await smsTo(service, phone, 2, RECOVERY_MS);
      await settle();
      expect(await smsNow(service, phone)).toHaveLength(2);
      expect(await auditEventsOf(service.database, userId, 'user.phone_changed')).toHaveLength(1);
    },
    3 * RECOVERY_MS,
  );

  fullProof(
    'while the SMS is being sent: it is sent once',
    async () => {
      const { token } = await member();
      const phone = newPhone();
      const answer = await killWhileHeld(service, 'mail_deliveries', () =>
        untilAnswered((headers) => askPhone(service, token, phone, headers)),
      );
      expect(answer.status).toBe(202);
      await smsTo(service, phone, 1, RECOVERY_MS);
      await settle();
      expect(await smsNow(service, phone)).toHaveLength(1);
    },
    2 * RECOVERY_MS,
  );

  it(
    'while the phone is being changed: one change, and everybody is told once',
    async () => {
      const somebody = await member();
      const old = await provePhone(service, somebody);
      const { token, userId, person } = somebody;
      await service.mailbox.waitFor(person.email, PHONE_CHANGED_SUBJECT);
      const phone = newPhone();
      await askPhone(service, token, phone);
      const code = await smsCode(service, phone);
      const confirmed = await killWhileHeld(service, 'users', () =>
        untilAnswered((headers) => confirmPhone(service, token, code, headers)),
      );
      expect([confirmed.status, confirmed.body.phone]).toEqual([200, phone]);
      await smsTo(service, phone, 2, RECOVERY_MS);
      await smsTo(service, old, 3, RECOVERY_MS);
      await service.mailbox.waitFor(person.email, PHONE_CHANGED_SUBJECT, 2, RECOVERY_MS);
      await settle();
      expect(await smsNow(service, phone)).toHaveLength(2);
      expect(await smsNow(service, old)).toHaveLength(3);
      expect(await service.mailbox.to(person.email, PHONE_CHANGED_SUBJECT)).toHaveLength(2);
      expect(await auditEventsOf(service.database, userId, 'user.phone_changed')).toHaveLength(2);
    },
    3 * RECOVERY_MS,
  );

  fullProof(
    'while the address is being changed, and while its mails are being sent',
    async () => {
      const somebody = await member();
      const { token, userId, person } = somebody;
      const { email } = newPerson();
      await askEmail(service, somebody, email);
      const code = await emailCode(service, email);
      await service.mailbox.waitFor(person.email, EMAIL_REQUESTED_SUBJECT);
      const confirmed = await killWhileHeld(service, 'mail_deliveries', () =>
        killWhileHeld(service, 'users', () => untilAnswered((headers) => confirmEmail(service, token, code, headers))),
      );
      expect([confirmed.status, confirmed.body.email]).toEqual([200, email]);
      for (const address of [email, person.email])
        await service.mailbox.waitFor(address, EMAIL_CHANGED_SUBJECT, 1, RECOVERY_MS);
      await settle();
      for (const address of [email, person.email])
        expect(await service.mailbox.to(address, EMAIL_CHANGED_SUBJECT)).toHaveLength(1);
      expect(await service.mailbox.to(email, EMAIL_CODE_SUBJECT)).toHaveLength(1);
      expect(await service.mailbox.to(person.email, EMAIL_REQUESTED_SUBJECT)).toHaveLength(1);
      expect(await auditEventsOf(service.database, userId, 'user.email_changed')).toHaveLength(1);
      expect((await me(service, token)).status).toBe(200);
    },
    3 * RECOVERY_MS,
  );
});
