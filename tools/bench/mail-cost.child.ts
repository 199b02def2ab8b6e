import { randomUUID } from 'node:crypto';

import type { MailConfig } from '../../src/config/mail.config';
import { createMailTransport } from '../../src/mail/mail-transport';
import { createMailer } from '../../src/mail/mailer';

import { serveCalls } from './helper';

const AT_ONCE = 8;

const handlers = {
  /** CPU that writing and sending one mail takes, seconds, without the record of it in the database. */
  measure: async ({ mail, count }: { readonly mail: MailConfig; readonly count: number }): Promise<number> => {
    const transport = createMailTransport(mail);
    const deliveries = {
      once: async (_key: string, _id: string, send: () => Promise<void>) => send().then(() => true),
    };
    const mailer = createMailer({ transport, deliveries, from: mail.from });
    const send = async (mails: number): Promise<void> => {
      for (let index = 0; index < mails; index += 1) {
        await mailer.sendWelcome({ userId: randomUUID(), to: `bench-${randomUUID()}@example.et`, locale: 'en' });
      }
    };
    // Compiled and connected before it counts.
    await Promise.all(Array.from({ length: AT_ONCE }, () => send(count / AT_ONCE / 2)));
    const before = process.cpuUsage();
    await Promise.all(Array.from({ length: AT_ONCE }, () => send(count / AT_ONCE)));
    const { user, system } = process.cpuUsage(before);
    transport.close();
    return (user + system) / 1e6 / count;
  },
};
export type MailCostHelper = typeof handlers;

serveCalls(handlers);
