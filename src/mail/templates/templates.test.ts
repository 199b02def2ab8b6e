import { describe, expect, test } from '@jest/globals';

import { localeSchema } from '../../contracts/locale';
import { render, type RenderedMail, type TemplateName } from '.';
import { timeSpan } from './time-span';

const LINK = 'http://localhost:3001/verify#registrationId=019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11&code=042917';
const HOUR_MS = 3_600_000;

const SAMPLES: Record<TemplateName, (locale: 'en' | 'am') => RenderedMail> = {
  'verification-code': (locale) =>
    render('verification-code', locale, { code: '042917', link: LINK, validForMs: 24 * HOUR_MS }),
  'already-registered': (locale) => render('already-registered', locale, {}),
  'details-taken': (locale) => render('details-taken', locale, {}),
  welcome: (locale) => render('welcome', locale, { firstName: 'Abebe' }),
  'mfa-enabled': (locale) => render('mfa-enabled', locale, {}),
  'mfa-disabled': (locale) => render('mfa-disabled', locale, {}),
  'recovery-code-used': (locale) => render('recovery-code-used', locale, { codesLeft: locale === 'en' ? 1 : 0 }),
  'factor-code': (locale) => render('factor-code', locale, { code: '042917', validForMs: HOUR_MS / 6 }),
  'passkey-suspected': (locale) => render('passkey-suspected', locale, {}),
  'password-changed': (locale) => render('password-changed', locale, {}),
  'session-new-device': (locale) => render('session-new-device', locale, {}),
  'session-reuse-detected': (locale) => render('session-reuse-detected', locale, {}),
  'email-change-code': (locale) => render('email-change-code', locale, { code: '042917', validForMs: HOUR_MS / 6 }),
  'email-change-requested': (locale) => render('email-change-requested', locale, {}),
  'email-change-taken': (locale) => render('email-change-taken', locale, {}),
  'email-changed': (locale) => render('email-changed', locale, { isOld: locale === 'en' }),
  'recovery-requested': (locale) =>
    render('recovery-requested', locale, { cancelLink: LINK, availableInMs: 72 * HOUR_MS }),
  'recovery-ready': (locale) =>
    render('recovery-ready', locale, { link: LINK, cancelLink: LINK, validForMs: 24 * HOUR_MS }),
  'recovery-ended': (locale) => render('recovery-ended', locale, {}),
  'data-exported': (locale) => render('data-exported', locale, { validForMs: 24 * HOUR_MS }),
  'erasure-requested': (locale) =>
    render('erasure-requested', locale, { erasedInMs: (locale === 'en' ? 14 : 3) * 24 * HOUR_MS }),
  'erasure-cancelled': (locale) => render('erasure-cancelled', locale, {}),
  erasing: (locale) => render('erasing', locale, {}),
  'phone-changed': (locale) => render('phone-changed', locale, {}),
  'phone-released': (locale) => render('phone-released', locale, {}),
  'password-reset': (locale) =>
    render('password-reset', locale, { link: 'http://localhost:3001/reset-password#token=x', validForMs: HOUR_MS / 4 }),
};

const CASES = Object.entries(SAMPLES).flatMap(([name, sample]) =>
  localeSchema.options.map((locale) => ({ name, locale, mail: sample(locale) })),
);

describe.each(CASES)('$name in $locale', ({ locale, mail }) => {
  test('has a subject of one line', () => {
    expect(mail.subject).toMatch(/^\P{Cc}+$/u);
  });

  test('has no unresolved placeholder in any form', () => {
    for (const form of [mail.subject, mail.text, mail.html]) {
      expect(form).not.toMatch(/undefined|null|NaN|\[object|\$\{|\{\{/);
    }
  });

  test('names its language and loads nothing', () => {
    expect(mail.html).toContain(`<html lang="${locale}">`);
    expect(mail.html).not.toMatch(/<img|<script|<link|src=|@import|url\(/);
  });

  test('is written in its language', () => {
    const letters = mail.text.replace(/https?:\S+/g, '').match(/\p{L}/gu) ?? [];
    const ethiopic = letters.filter((letter) => /\p{Script=Ethiopic}/u.test(letter)).length;
    const share = ethiopic / letters.length;
    expect(share).toBeGreaterThanOrEqual(locale === 'am' ? 0.95 : 0);
    expect(share).toBeLessThanOrEqual(locale === 'am' ? 1 : 0);
  });
});

describe('the verification mail', () => {
  test.each(localeSchema.options)('shows the code alone on a line, as the first run of six digits (%s)', (locale) => {
    const { text, html } = SAMPLES['verification-code'](locale);
    expect(text.split('\n')).toContain('042917');
    expect(text.match(/\b\d{6}\b/g)).toEqual(['042917', '042917']);
    expect(new Set(html.match(/\b\d{6}\b/g))).toEqual(new Set(['042917']));
    expect(text).toContain(LINK);
    expect(html).toContain(`href="${LINK.replace('&', '&amp;')}"`);
  });

  test('says how long the code is good for', () => {
    expect(SAMPLES['verification-code']('en').text).toContain('expire in 24 hours.');
    expect(SAMPLES['verification-code']('am').text).toContain('ለ24 ሰዓታት');
  });

  test('refuses a link that is not of the web', () => {
    expect(() =>
      render('verification-code', 'en', { code: '042917', link: 'javascript:alert(1)', validForMs: 1 }),
    ).toThrow(TypeError);
  });
});

describe('the welcome mail', () => {
  test('greets by first name only when there is one', () => {
    expect(SAMPLES.welcome('en').subject).toContain('Welcome');
    expect(SAMPLES.welcome('en').text).toMatch(/^Hello Abebe,\n/);
    expect(render('welcome', 'en', {}).text).toMatch(/^Hello,\n/);
    expect(render('welcome', 'am', { firstName: 'አበበ' }).text).toMatch(/^ሰላም አበበ፣\n/);
  });

  test('escapes HTML in a name', () => {
    const { html } = render('welcome', 'en', { firstName: `<img src=x onerror="alert('1')"> & Co` });
    expect(html).not.toContain('<img');
    expect(html).toContain('Hello &lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; Co,');
  });
});

test.each([
  [24 * HOUR_MS, '24 hours', '24 ሰዓታት'],
  [24 * HOUR_MS - 4_000, '24 hours', '24 ሰዓታት'],
  [5.5 * HOUR_MS, '5 hours', '5 ሰዓታት'],
  [HOUR_MS, '1 hour', '1 ሰዓት'],
  [20 * 60_000, '20 minutes', '20 ደቂቃዎች'],
  [-1, '1 minute', '1 ደቂቃ'],
])('%d ms are %s or %s', (milliseconds, english, amharic) => {
  expect(timeSpan(milliseconds, 'en')).toBe(english);
  expect(timeSpan(milliseconds, 'am')).toBe(amharic);
});
