import { describe, expect, it } from '@jest/globals';

import { cleanText } from './text';

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
