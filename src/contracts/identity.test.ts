import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { emailSchema, faydaIdSchema, nameSchema, newPasswordSchema, phoneSchema } from './identity';

const RUNS = { numRuns: 500 };

/** Text as an enemy would send it: any characters, lone surrogates among them, and much of what parsers look for. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ maxLength: 300 }),
  fc.string({
    unit: fc.constantFrom(
      '+',
      '0',
      '9',
      '251',
      ' ',
      '-',
      '(',
      ')',
      ';ext=',
      '@',
      '.',
      '\u0000',
      '\ud800',
      '٠',
      '①',
      '０',
      'Ⅷ',
    ),
    maxLength: 60,
  }),
);

describe.each([
  ['a phone number', phoneSchema],
  ['a Fayda ID', faydaIdSchema],
  ['an e-mail address', emailSchema],
  ['a name', nameSchema],
  ['a password', newPasswordSchema],
])('%s', (_, schema) => {
  test('is parsed or refused with a reason, whatever it is, and no error escapes', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.anything()), (input) => {
        const result = schema.safeParse(input);
        if (!result.success) expect(result.error.issues.length).toBeGreaterThan(0);
        else expect(typeof result.data).toBe('string');
      }),
      RUNS,
    );
  });
  test('is the same when it is normalised once more', () => {
    fc.assert(
      fc.property(anyText, (input) => {
        const result = schema.safeParse(input);
        if (result.success) expect(schema.parse(result.data)).toBe(result.data);
      }),
      RUNS,
    );
  });
});

const digits = (length: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789')), minLength: length, maxLength: length });
const gaps = fc.array(fc.constantFrom('', ' ', '-'), { minLength: 16, maxLength: 16 });

describe('every spelling is one', () => {
  test('of an Ethiopian phone number', () => {
    fc.assert(
      fc.property(fc.constantFrom('7', '9'), digits(8), gaps, (kind, rest, separators) => {
        const spaced = Array.from(rest)
          .map((digit, index) => `${separators[index] ?? ''}${digit}`)
          .join('');
        const expected = `+251${kind}${rest}`;
        for (const spelling of [
          `+251${kind}${rest}`,
          `0${kind}${spaced}`,
          `+251 ${kind}${spaced}`,
          `00251${kind}${rest}`,
        ])
          if (spelling.length <= 32) expect([spelling, phoneSchema.parse(spelling)]).toEqual([spelling, expected]);
      }),
      RUNS,
    );
  });
  test('of a Fayda ID', () => {
    fc.assert(
      fc.property(fc.constantFrom(12, 16).chain(digits), gaps, (id, separators) => {
        const spaced = Array.from(id)
          .map((digit, index) => `${separators[index] ?? ''}${digit}`)
          .join('');
        expect(faydaIdSchema.parse(spaced)).toBe(id);
      }),
      RUNS,
    );
  });
  test('of an e-mail address', () => {
    const word = fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019')), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(word, word, fc.constantFrom('', ' ', '\t', '\u00a0'), (local, domain, blank) => {
        const address = `${local}@${domain}.ET`;
        expect(emailSchema.parse(`${blank}${address}${blank}`)).toBe(address.toLowerCase());
      }),
      RUNS,
    );
  });
});

describe('what is accepted is safe to keep', () => {
  test('phone numbers are E.164, Ethiopian ones of a mobile network', () => {
    fc.assert(
      fc.property(anyText, (input) => {
        const result = phoneSchema.safeParse(input);
        if (!result.success) return;
        expect(result.data).toMatch(/^\+[1-9]\d{3,14}$/);
        if (result.data.startsWith('+251')) expect(result.data).toMatch(/^\+251[79]\d{8}$/);
      }),
      RUNS,
    );
  });
  test('digits of other scripts are no Fayda ID', () => {
    expect(faydaIdSchema.safeParse('٠١٢٣٤٥٦٧٨٩٠١').success).toBe(false);
    expect(faydaIdSchema.safeParse('０１２３４５６７８９０１').success).toBe(false);
  });
  test('e-mail addresses have no blanks, line breaks or second @', () => {
    fc.assert(
      fc.property(anyText, anyText, (local, domain) => {
        const result = emailSchema.safeParse(`${local}@${domain}.et`);
        if (result.success) expect(result.data).toMatch(/^[\x21-\x3f\x41-\x7e]{1,64}@[\x21-\x3f\x41-\x7e]+$/);
      }),
      RUNS,
    );
  });
});
