/** What is known of an SMTP failure. The server's words are left out on purpose: they often repeat the address. */
export interface SmtpFailure {
  /** The code of the system, of TLS or of nodemailer, such as `ECONNREFUSED`, `CERT_HAS_EXPIRED` or `EENVELOPE`. */
  readonly reason: string;
  /** Reply of the server (RFC 5321, 4.2), where there was one. */
  readonly replyCode?: number;
}

const describe = ({ reason, replyCode }: SmtpFailure): string =>
  replyCode === undefined ? reason : `${reason}, ${String(replyCode)}`;

/** The server will never take this mail for this recipient: trying again is useless. Its message holds no address. */
export class MailRejectedError extends Error {
  readonly code = 'MAIL_REJECTED';
  readonly permanent = true;
  constructor(readonly failure: SmtpFailure) {
    super(`The mail was refused for good (${describe(failure)})`);
    this.name = 'MailRejectedError';
  }
}

/** The mail was not accepted now (no connection, a timeout, a 4xx reply, a refused login): try again later. */
export class MailUnavailableError extends Error {
  readonly code = 'MAIL_UNAVAILABLE';
  readonly permanent = false;
  constructor(readonly failure: SmtpFailure) {
    super(`The mail server did not accept the mail for now (${describe(failure)})`);
    this.name = 'MailUnavailableError';
  }
}

/** Replies that are about our session or login, not about this recipient or message, wherever they occur. */
const SESSION_REPLIES = new Set([503, 530]);

const isRefusal = (replyCode = 0): boolean => replyCode >= 500 && replyCode <= 599 && !SESSION_REPLIES.has(replyCode);

interface NodemailerError {
  readonly code?: unknown;
  /** What nodemailer has put its own code in the place of. */
  readonly originalCode?: unknown;
  readonly command?: unknown;
  readonly responseCode?: unknown;
}

/**
 * Sorts what nodemailer throws. Only a 5xx reply to the recipient or to the message itself is permanent; a 5xx reply
 * to the login or to our sender address is a fault of the configuration, which somebody will mend.
 */
export const toMailError = (error: unknown): MailRejectedError | MailUnavailableError => {
  if (error instanceof MailRejectedError || error instanceof MailUnavailableError) return error;
  const {
    code: ownCode,
    originalCode: code = ownCode,
    command,
    responseCode,
  } = (typeof error === 'object' && error !== null ? error : {}) as NodemailerError;
  const replyCode = typeof responseCode === 'number' ? responseCode : undefined;
  const failure: SmtpFailure = {
    reason: typeof code === 'string' ? code : 'unknown error',
    ...(replyCode !== undefined && { replyCode }),
  };
  const aboutThisMail = command === 'RCPT TO' || command === 'DATA';
  return aboutThisMail && isRefusal(replyCode) ? new MailRejectedError(failure) : new MailUnavailableError(failure);
};
