import { describe, expect, test } from '@jest/globals';

import { createVerifiedTokens } from './verified-tokens';

describe('verified tokens', () => {
  test('are known until they expire', () => {
    let now = 1_000;
    const tokens = createVerifiedTokens<string>(10, () => now);
    tokens.add('a', 'claims of a', 2_000);
    expect(tokens.find('a')).toBe('claims of a');
    expect(tokens.find('A')).toBeUndefined();
    now = 2_000;
    expect(tokens.find('a')).toBeUndefined();
  });

  test('make room for new ones, the oldest first', () => {
    const tokens = createVerifiedTokens<number>(2);
    for (const [index, token] of ['a', 'b', 'c'].entries()) tokens.add(token, index, Infinity);
    expect(['a', 'b', 'c'].map((token) => tokens.find(token))).toEqual([undefined, 1, 2]);
  });
});
