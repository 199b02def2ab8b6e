import { loadConfig } from '../../../src/config/load';
import { createMailTransport } from '../../../src/mail/mail-transport';
import { createMailer } from '../../../src/mail/mailer';
import { createMailDeliveryRepository } from '../../../src/repositories/mail-delivery-repository';
import { createDatabase } from '../../../src/repositories/prisma-client';

/** Sends one welcome mail to `MAIL_TO`. */
const { database, mail } = loadConfig(['database', 'mail']);
const mailer = createMailer({
  transport: createMailTransport(mail),
  deliveries: createMailDeliveryRepository(createDatabase(database), 25_000),
  from: mail.from,
});
const done = mailer.sendWelcome({
  userId: process.env['USER_ID'] ?? '',
  to: process.env['MAIL_TO'] ?? '',
  locale: 'en',
});
done.then(
  (sent) => process.send?.({ sent }),
  (error: unknown) => process.send?.({ error: String(error) }),
);
