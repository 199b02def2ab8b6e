import { describe, expect, test } from '@jest/globals';

import { localeSchema } from '../contracts/locale';

import { createDevelopmentSmsProvider } from './development-provider';
import { createSmsMessenger } from './messenger';
import { type OutgoingSms, SmsUnavailableError } from './sms-provider';
import { SMS_TEXTS, type SmsTextName } from './texts';

const NAMES = Object.keys(SMS_TEXTS) as SmsTextName[];
const CASES = NAMES.flatMap((name) => localeSchema.options.map((locale) => ({ name, locale })));
const write = (name: SmsTextName, locale: 'en' | 'am'): string =>
  (SMS_TEXTS[name][locale] as (params: unknown) => string)({ code: '042917', validForMs: 600_000 });

describe('an SMS text', () => {
  test.each(CASES)('$name in $locale is short, complete and of its language', ({ name, locale }) => {
    const text = write(name, locale);
    expect(text).not.toMatch(/undefined|null|NaN|\$\{/);
    // English: one SMS of the GSM alphabet. Ethiopic: at most two of UCS-2 (67 characters each).
    expect(text.length).toBeLessThanOrEqual(locale === 'en' ? 160 : 134);
    if (locale === 'en') expect(text).toMatch(/^[\n\r -_a-z]+$/);
    else expect(text.replace(/[\d\s።፣]/g, '')).toMatch(/^\p{Script=Ethiopic}+$/u);
  });

  test('with a code has no other digits in a row of six, and says how long it is good for', () => {
    for (const locale of localeSchema.options) {
      const text = write('phone-code', locale);
      expect(text.match(/\d{6}/g)).toEqual(['042917']);
      expect(text).toContain('10');
    }
  });
});

describe('the development provider', () => {
  test('mails the SMS to the digits of the number, where nobody is', async () => {
    const mails: unknown[] = [];
    const provider = createDevelopmentSmsProvider({
      send: async (mail) => {
        mails.push(mail);
      },
    });
    await provider.send({ to: '+251911234567', text: '1 < 2 & so on', id: 'ab'.repeat(16) });
    expect(mails).toEqual([
      {
        to: '251911234567@sms.invalid',
        subject: 'SMS to +251911234567',
        text: '1 < 2 & so on\n',
        html: '<!doctype html><p>1 &lt; 2 &amp; so on</p>',
        messageId: `<${'ab'.repeat(16)}@sms.invalid>`,
      },
    ]);
  });

  test.each([
    [
      { permanent: true, code: 'MAIL_REJECTED' },
      { name: 'SmsRejectedError', permanent: true },
    ],
    [
      { permanent: false, code: 'MAIL_UNAVAILABLE' },
      { name: 'SmsUnavailableError', permanent: false },
    ],
  ])('fails as the mail does: %j', async (thrown, expected) => {
    const provider = createDevelopmentSmsProvider({
      send: () => Promise.reject(Object.assign(new Error('x'), thrown)),
    });
    await expect(provider.send({ to: '+251911234567', text: 'x', id: 'x' })).rejects.toMatchObject(expected);
  });
});

describe('the messenger', () => {
  const setUp = (failures = 0) => {
    const sent: OutgoingSms[] = [];
    const keys = new Set<string>();
    const provider = {
      send: async (sms: OutgoingSms) => {
        if (failures-- > 0) throw new SmsUnavailableError('503');
        sent.push(sms);
      },
    };
    const deliveries = {
      once: async (key: string, _id: string, send: () => Promise<void>) => {
        if (keys.has(key)) return false;
        await send();
        keys.add(key);
        return true;
      },
    };
    return { messenger: createSmsMessenger(provider, deliveries), sent };
  };
  const message = {
    key: 'phone-code/1',
    to: '+251911234567',
    locale: 'en',
    text: 'phone-code',
    params: { code: '042917', validForMs: 600_000 },
  } as const;

  test('sends each SMS once per key, and again after a failure, under the same id', async () => {
    const { messenger, sent } = setUp(1);
    await expect(messenger.send(message)).rejects.toThrow(SmsUnavailableError);
    await expect(messenger.send(message)).resolves.toBe(true);
    await expect(messenger.send(message)).resolves.toBe(false);
    await messenger.send({ ...message, key: 'phone-code/2' });
    expect(sent).toHaveLength(2);
    expect(sent[0]).toMatchObject({ to: message.to, text: expect.stringContaining('042917') });
    expect(new Set(sent.map(({ id }) => id)).size).toBe(2);
    for (const { id } of sent) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });
});
