import { z } from 'zod';

import { duration, flag, optionalSecret, optionalText, port, reloadable, text } from './fields';
import { clientTlsFields, toClientTls } from './tls.config';

export const mailEnv = z.object({
  SMTP_HOST: text('localhost', 'Mail server'),
  SMTP_PORT: port(1025, 'Port of the mail server'),
  SMTP_SECURE: flag(false, 'TLS from the first byte (port 465)'),
  SMTP_REQUIRE_TLS: flag(
    false,
    'Mail goes over TLS (STARTTLS) or not at all; without it only where the server offers it. With SMTP_SECURE it always does',
  ),
  ...clientTlsFields('SMTP', 'the mail server'),
  SMTP_USERNAME: optionalText('User name, where the mail server asks for one'),
  SMTP_PASSWORD: reloadable(optionalSecret('Password, where the mail server asks for one')),
  SMTP_TIMEOUT: duration('10s', 'Longest time for one step of an SMTP conversation'),
  MAIL_FROM: text('Meqenet <no-reply@meqenet.et>', 'Sender of every mail'),
});

/** Outgoing mail. Times are milliseconds. */
export const toMailConfig = (env: z.output<typeof mailEnv>) => ({
  host: env.SMTP_HOST,
  port: env.SMTP_PORT,
  secure: env.SMTP_SECURE,
  requireTls: env.SMTP_REQUIRE_TLS,
  tls: toClientTls('SMTP', env),
  ...(env.SMTP_USERNAME !== undefined && { username: env.SMTP_USERNAME }),
  ...(env.SMTP_PASSWORD !== undefined && { password: env.SMTP_PASSWORD }),
  timeoutMs: env.SMTP_TIMEOUT,
  from: env.MAIL_FROM,
});
export type MailConfig = ReturnType<typeof toMailConfig>;
