import { describe, expect, test } from '@jest/globals';

import { MailUnavailableError } from './mail-errors';
import type { OutgoingMail } from './mail-transport';
import { createMailer, type MailDeliveries } from './mailer';

/** The contract of the repository, in memory and for one caller at a time. */
const createDeliveries = () => {
  const sent = new Map<string, string>();
  const deliveries: MailDeliveries = {
    once: async (key, messageId, send) => {
      if (sent.has(key)) return false;
      await send();
      sent.set(key, messageId);
      return true;
    },
  };
  return { deliveries, sent };
};

const setUp = (failures = 0) => {
  const outbox: OutgoingMail[] = [];
  const { deliveries, sent } = createDeliveries();
  const mailer = createMailer({
    transport: {
      send: async (mail) => {
        if (failures-- > 0) throw new MailUnavailableError({ reason: 'ETIMEDOUT' });
        outbox.push(mail);
      },
    },
    deliveries,
    from: 'Meqenet <no-reply@meqenet.et>',
    now: () => 0,
  });
  return { mailer, outbox, sent };
};

const verification = {
  registrationId: '019ac0de',
  issue: 1,
  to: 'abebe@example.et',
  locale: 'en',
  code: '042917',
  link: 'https://meqenet.et/verify#code=042917',
  expiresAt: new Date(3_600_000),
} as const;

describe('createMailer', () => {
  test('sends each mail once per key, under the id of the key', async () => {
    const { mailer, outbox, sent } = setUp();
    await expect(mailer.sendVerificationCode(verification)).resolves.toBe(true);
    await expect(mailer.sendVerificationCode(verification)).resolves.toBe(false);
    await expect(mailer.sendVerificationCode({ ...verification, issue: 2 })).resolves.toBe(true);
    expect([...sent.keys()]).toEqual(['verification/019ac0de/1', 'verification/019ac0de/2']);
    expect(outbox.map((mail) => mail.messageId)).toEqual([...sent.values()]);
    expect(outbox[0]?.text).toContain('1 hour');
  });

  test('uses one key for each kind of mail', async () => {
    const { mailer, outbox, sent } = setUp();
    const mail = { registrationId: 'r', issue: 1, to: 'abebe@example.et', locale: 'am' } as const;
    await mailer.sendAlreadyRegistered(mail);
    await mailer.sendDetailsTaken(mail);
    await mailer.sendWelcome({ userId: 'u', to: mail.to, locale: 'am', firstName: 'አበበ' });
    expect([...sent.keys()]).toEqual(['already-registered/r/1', 'details-taken/r/1', 'welcome/u']);
    expect(new Set(outbox.map(({ messageId }) => messageId)).size).toBe(3);
    expect(outbox[2]).toMatchObject({ to: 'abebe@example.et', locale: 'am', subject: 'እንኳን ወደ መቀነት በደህና መጡ' });
  });

  test('reports a failure and sends on the next try', async () => {
    const { mailer, outbox } = setUp(1);
    const mail = { userId: 'u', to: 'abebe@example.et', locale: 'en' } as const;
    await expect(mailer.sendWelcome(mail)).rejects.toThrow(MailUnavailableError);
    await expect(mailer.sendWelcome(mail)).resolves.toBe(true);
    expect(outbox).toHaveLength(1);
  });
});
