import type { Mailer } from '../mail/mailer';
import type { FindFactorCode } from '../repositories/factor-code-messages';
import type { SmsMessenger } from '../sms/messenger';

import { sending } from './sending';

interface Finding {
  readonly findFactorCode: FindFactorCode;
  readonly codes: { code(id: string, issue: number): string };
}
interface MailDependencies extends Finding {
  readonly mailer: Pick<Mailer, 'sendFactorCode'>;
}
interface SmsDependencies extends Finding {
  readonly sms: SmsMessenger;
}

/** Codes of second factors, on the `email` task queue. One that no longer works is not sent; each goes out once. */
export const createFactorCodeMailActivities = ({ findFactorCode, codes, mailer }: MailDependencies) => ({
  async sendFactorCodeMail({ codeId }: { codeId: string }): Promise<void> {
    const found = await findFactorCode(codeId);
    if (found === undefined) return;
    await sending('MAIL_REJECTED', () => mailer.sendFactorCode({ ...found, codeId, code: codes.code(codeId, 1) }));
  },
});
export type FactorCodeMailActivities = ReturnType<typeof createFactorCodeMailActivities>;

/** On the `sms` task queue, likewise. */
export const createFactorCodeSmsActivities = ({ findFactorCode, codes, sms }: SmsDependencies) => ({
  async sendFactorCodeSms({ codeId }: { codeId: string }): Promise<void> {
    const found = await findFactorCode(codeId);
    if (found === undefined) return;
    const { to, locale, expiresAt } = found;
    const params = { code: codes.code(codeId, 1), validForMs: expiresAt.getTime() - Date.now() };
    await sending('SMS_REJECTED', () =>
      sms.send({ key: `factor-code/${codeId}`, to, locale, text: 'phone-code', params }),
    );
  },
});
export type FactorCodeSmsActivities = ReturnType<typeof createFactorCodeSmsActivities>;
