import type { Config } from '../config/sections';
import { createMailTransport } from '../mail/mail-transport';
import { createMailer } from '../mail/mailer';
import { createMailDeliveryRepository } from '../repositories/mail-delivery-repository';
import type { createDatabase } from '../repositories/prisma-client';

/** An SMTP conversation ends before its activity does (20 s), so that the lock is not taken over while it goes on. */
const MAIL_TRANSACTION_MS = 15_000;

/** What sends mail, each mail once. */
export const buildMail = (config: Config<'mail'>, database: ReturnType<typeof createDatabase>) => {
  const transport = createMailTransport(config.mail);
  const deliveries = createMailDeliveryRepository(database, MAIL_TRANSACTION_MS);
  return { transport, deliveries, mailer: createMailer({ transport, deliveries, from: config.mail.from }) };
};
