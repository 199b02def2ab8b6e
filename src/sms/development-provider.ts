import { type SmsProvider, SmsRejectedError, SmsUnavailableError } from './sms-provider';

interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
}
/** What mails: `createMailTransport` fits. */
interface MailSender {
  send(mail: Mail): Promise<void>;
}

/** `.invalid` is nobody's (RFC 2606): a mail server that is not a catcher cannot deliver it by mistake. */
export const SMS_MAIL_DOMAIN = 'sms.invalid';

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Mails each SMS to `<digits of the number>@sms.invalid`, so that a developer reads it where mails are caught. Not for production. */
export const createDevelopmentSmsProvider = (mail: MailSender): SmsProvider => ({
  async send({ to, text, id }) {
    const message = {
      to: `${to.replace(/\D/g, '')}@${SMS_MAIL_DOMAIN}`,
      subject: `SMS to ${to}`,
      text: `${text}\n`,
      html: `<!doctype html><p>${escapeHtml(text)}</p>`,
      messageId: `<${id}@${SMS_MAIL_DOMAIN}>`,
    };
    try {
      await mail.send(message);
    } catch (error) {
      const { permanent, code } = error as { permanent?: boolean; code?: string };
      throw permanent === true ? new SmsRejectedError(code ?? 'mail') : new SmsUnavailableError(code ?? 'mail');
    }
  },
});
