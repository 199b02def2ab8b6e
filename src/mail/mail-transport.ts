import { createTransport, type SendMailOptions } from 'nodemailer';
import type SMTPPool from 'nodemailer/lib/smtp-pool';

import type { ClientTls } from '../config/tls.config';
import { DEFAULT_LOCALE, type Locale } from '../contracts/locale';
import { askInSpan } from '../observability/span';
import { MailRejectedError, MailUnavailableError, toMailError } from './mail-errors';

/** How to reach the mail server: `MailConfig` of the configuration. Times are milliseconds. */
export interface MailTransportConfig {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. Without it STARTTLS is used where the server offers it. */
  readonly secure: boolean;
  /** Nothing is sent to a server that offers no STARTTLS. */
  readonly requireTls?: boolean;
  readonly tls?: ClientTls;
  readonly username?: string;
  readonly password?: string;
  /** Longest time for one step of the SMTP conversation. */
  readonly timeoutMs: number;
  readonly from: string;
}

export interface OutgoingMail {
  /** One bare address. */
  readonly to: string;
  readonly locale?: Locale;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** With its angle brackets. */
  readonly messageId: string;
}

/** Mails sent at once by one process. */
const MAX_CONNECTIONS = 8;
/** A whole delivery, waiting for a connection included, may take so many times the longest step. */
const DELIVERY_STEPS = 3;

/** One address and nothing that could end a header or an SMTP command, or name a second recipient. */
const BARE_ADDRESS = /^[^\s@<>()[\]\\,;:"\p{Cc}]{1,64}@[^\s@<>()[\]\\,;:"\p{Cc}]{1,255}$/u;
const MESSAGE_ID = /^<[A-Za-z0-9.+=/_-]+@[A-Za-z0-9.-]+>$/;

const rejectUnusable = ({ to, messageId }: OutgoingMail): void => {
  if (!BARE_ADDRESS.test(to)) throw new MailRejectedError({ reason: 'not an address' });
  if (!MESSAGE_ID.test(messageId)) throw new TypeError('Not a Message-ID');
};

/** Sends mails over SMTP, with a few connections that are kept open. */
export const createMailTransport = (config: MailTransportConfig) => {
  const { host, port, secure, requireTls = false, tls, username, password, timeoutMs, from } = config;
  // nodemailer 10 knows `maxRequeues` and `signal`; its published types (8) do not yet.
  const options: SMTPPool.Options & { maxRequeues: number } = {
    pool: true,
    maxConnections: MAX_CONNECTIONS,
    // Whoever called repeats a failed mail; a second layer of retries would multiply, and could send a copy unseen.
    maxRequeues: 0,
    host,
    port,
    secure,
    // A password never travels in the clear.
    requireTLS: !secure && (requireTls || password !== undefined),
    ...(tls !== undefined && { tls }),
    ...(username !== undefined && { auth: { user: username, pass: password ?? '' } }),
    dnsTimeout: timeoutMs,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const pool = createTransport(options);
  const { auth: login } = (pool.transporter as unknown as { readonly options: SMTPPool.Options }).options;
  // A connection logs in with the password of its time: nodemailer copies its options, and each connection reads the copy.
  if (login !== undefined) Object.defineProperty(login, 'pass', { get: () => config.password ?? '', enumerable: true });

  return {
    /**
     * Sends one mail; resolves when the server has accepted it.
     *
     * @throws {MailRejectedError} the server (or the address itself) makes this mail undeliverable
     * @throws {MailUnavailableError} not now; the server may have accepted it all the same if its answer was lost
     */
    send: async (mail: OutgoingMail): Promise<void> => {
      rejectUnusable(mail);
      const message: SendMailOptions & { signal: AbortSignal } = {
        from,
        // The object form: nodemailer would split a string into several recipients.
        to: { name: '', address: mail.to },
        subject: mail.subject.replace(/\p{Cc}+/gu, ' '),
        text: mail.text,
        html: mail.html,
        messageId: mail.messageId,
        xMailer: false,
        headers: {
          // RFC 3834: no vacation notices and the like in return.
          'Auto-Submitted': 'auto-generated',
          'X-Auto-Response-Suppress': 'All',
          'Content-Language': mail.locale ?? DEFAULT_LOCALE,
        },
        signal: AbortSignal.timeout(DELIVERY_STEPS * timeoutMs),
      };
      try {
        await askInSpan('send mail', { 'server.address': host, 'server.port': port }, () => pool.sendMail(message));
      } catch (error) {
        throw toMailError(error);
      }
    },
    /**
     * Connects (and logs in) once, over a connection of its own.
     *
     * @throws {MailUnavailableError} when that does not succeed within `limitMs` milliseconds
     */
    verify: async (limitMs = 2_000): Promise<void> => {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          reject(new MailUnavailableError({ reason: 'ETIMEDOUT' }));
        }, limitMs);
      });
      try {
        await Promise.race([pool.verify(), limit]);
      } catch (error) {
        throw toMailError(error);
      } finally {
        clearTimeout(timer);
      }
    },
    /** Closes idle connections now and busy ones after their mail. */
    close: (): void => {
      pool.close();
    },
  };
};
export type MailTransport = ReturnType<typeof createMailTransport>;
