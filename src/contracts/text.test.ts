import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';

import { reasonRequest } from './admin';
import { nameSchema } from './identity';
import { cleanText, secretText } from './text';

describe('text that others will see', () => {
  const schema = cleanText(40);

  it.each(['አበበ ቢቂላ', "N'Golo", 'שרה', '👩🏾‍🚀'])('may be %s', (value) => {
    expect(schema.safeParse(value).success).toBe(true);
  });

  it.each([
    ['a line break', 'Abebe\nBcc: x'],
    ['NUL', 'Abebe\u0000'],
    ['a lone surrogate', 'Abebe\ud800'],
    ['an override of its direction', 'Abebe\u202egnp.exe'],
    ['an isolate', 'Abebe\u2066x\u2069'],
    ['too much', 'x'.repeat(41)],
  ])('may not hold %s', (_what, value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });
});

/** As the patterns of the document are read (JSON Schema, ECMA-262 with the flag `u`). */
const documented = (schema: z.ZodType) => {
  const { pattern = '', minLength = 0, maxLength = Infinity } = z.toJSONSchema(schema, { io: 'input' });
  const expression = new RegExp(pattern, 'u');
  return (value: string): boolean => {
    const { length } = [...value];
    return expression.test(value) && length >= minLength && length <= maxLength;
  };
};

const character = fc.oneof(
  fc.constantFrom(
    'a',
    ' ',
    '\u0000',
    '\n',
    '\u0085',
    '\u007f',
    '\u00a0',
    '\u2028',
    '\ufeff',
    '\u202e',
    '\u2066',
    '😀',
    'አ',
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
);

describe('the document says of text what is so', () => {
  it.each([
    ['text that people see', cleanText(12)],
    ['text that is compared', secretText(2, 12)],
    ['a name', nameSchema],
    ['a reason', reasonRequest.shape.reason],
  ])('%s', (_what, schema) => {
    const isDocumented = documented(schema);
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 14 }), (value) => {
        expect([value, isDocumented(value)]).toEqual([value, schema.safeParse(value).success]);
      }),
      { numRuns: 2_000 },
    );
  });
  it('counts characters, as JSON Schema does, and not UTF-16 units', () => {
    expect(cleanText(40).safeParse('😀'.repeat(40)).success).toBe(true);
    expect(cleanText(40).safeParse('😀'.repeat(41)).success).toBe(false);
    expect(secretText(2, 40).safeParse('😀').success).toBe(false);
  });
});
