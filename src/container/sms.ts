import type { Config } from '../config/sections';
import type { MailTransport } from '../mail/mail-transport';
import { createDevelopmentSmsProvider } from '../sms/development-provider';
import { createHttpSmsProvider } from '../sms/http-provider';
import { type SmsProvider, SmsRejectedError } from '../sms/sms-provider';

/** Requests that would need an SMS are refused before; what was accepted under another configuration ends here. */
const NO_PROVIDER: SmsProvider = { send: () => Promise.reject(new SmsRejectedError('SMS_PROVIDER=none')) };

/** Whoever sends SMS, as configured. */
export const buildSmsProvider = (
  { sms, smsHttp }: Config<'sms' | 'smsHttp'>,
  mail: Pick<MailTransport, 'send'>,
): SmsProvider => {
  switch (sms.provider) {
    case 'none':
      return NO_PROVIDER;
    case 'development':
      return createDevelopmentSmsProvider(mail);
    case 'http':
      return createHttpSmsProvider({
        url: smsHttp.url ?? '',
        timeoutMs: smsHttp.timeoutMs,
        get token() {
          return smsHttp.token ?? '';
        },
      });
  }
};
