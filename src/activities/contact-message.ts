import type { ContactMessageInput } from '../contracts/contact-change-workflow';
import type { Mailer } from '../mail/mailer';
import type { ContactChangeForMessage, ContactChangeRepository } from '../repositories/contact-change-repository';
import type { SmsMessenger } from '../sms/messenger';

import { sending } from './sending';

interface Finding {
  readonly contactChanges: Pick<ContactChangeRepository, 'findForMessage'>;
  readonly codes: { code(id: string, issue: number): string };
}
interface MailDependencies extends Finding {
  readonly mailer: Pick<
    Mailer,
    'sendEmailChangeCode' | 'sendEmailChangeTaken' | 'sendEmailChangeRequested' | 'sendEmailChanged'
  >;
}
interface SmsDependencies extends Finding {
  readonly sms: SmsMessenger;
}

/** A code is worth nothing once another was asked for or its time is up, and a muted change is sent nothing. */
const bearsCode = ({ status, kind, expiresAt }: ContactChangeForMessage): boolean =>
  status === 'OPEN' && kind !== 'MUTED' && expiresAt > new Date();

/** The mails about a change of the address, on the `email` task queue. Each goes out once, however often its activity runs. */
export const createContactMailActivities = ({ contactChanges, codes, mailer }: MailDependencies) => ({
  async sendContactMail({ changeId, message }: ContactMessageInput): Promise<void> {
    const change = await contactChanges.findForMessage(changeId);
    if (change === undefined) return;
    const { kind, contact, previous, accountEmail, locale, expiresAt } = change;
    await sending('MAIL_REJECTED', async () => {
      if (message === 'code' && contact !== null && bearsCode(change)) {
        const mail = { changeId, to: contact, locale };
        if (kind === 'TAKEN') await mailer.sendEmailChangeTaken(mail);
        else await mailer.sendEmailChangeCode({ ...mail, code: codes.code(changeId, 1), expiresAt });
      } else if (message === 'requested' && change.status !== 'COMPLETED') {
        await mailer.sendEmailChangeRequested({ changeId, to: accountEmail, locale });
      } else if (message === 'changed_old' && previous !== null) {
        await mailer.sendEmailChanged({ changeId, to: previous, locale, isOld: true });
      } else if (message === 'changed_new' && contact !== null) {
        await mailer.sendEmailChanged({ changeId, to: contact, locale, isOld: false });
      }
    });
  },
});
export type ContactMailActivities = ReturnType<typeof createContactMailActivities>;

/** The SMS of the `sms` task queue, likewise. */
export const createContactSmsActivities = ({ contactChanges, codes, sms }: SmsDependencies) => ({
  async sendContactSms({ changeId, message }: ContactMessageInput): Promise<void> {
    const change = await contactChanges.findForMessage(changeId);
    if (change === undefined) return;
    const { kind, contact, previous, locale, expiresAt } = change;
    await sending('SMS_REJECTED', async () => {
      if (message === 'code' && contact !== null && bearsCode(change)) {
        const key = `phone-code/${changeId}`;
        if (kind === 'TAKEN') await sms.send({ key, to: contact, locale, text: 'phone-taken', params: undefined });
        else {
          const params = { code: codes.code(changeId, 1), validForMs: expiresAt.getTime() - Date.now() };
          await sms.send({ key, to: contact, locale, text: 'phone-code', params });
        }
      } else if (message === 'changed_old' && previous !== null) {
        const key = `phone-changed-old/${changeId}`;
        await sms.send({ key, to: previous, locale, text: 'phone-changed-old', params: undefined });
      } else if (message === 'changed_new' && contact !== null) {
        const key = `phone-changed-new/${changeId}`;
        await sms.send({ key, to: contact, locale, text: 'phone-changed-new', params: undefined });
      }
    });
  },
});
export type ContactSmsActivities = ReturnType<typeof createContactSmsActivities>;
