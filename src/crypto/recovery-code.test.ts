import { randomBytes, randomUUID } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { createRecoveryCodes } from './recovery-code';

const recovery = createRecoveryCodes(randomBytes(32));
const USER = randomUUID();

describe('recovery codes', () => {
  it('are ten, of 80 bits each, and no two the same', () => {
    const all = Array.from({ length: 200 }, () => recovery.codes(randomUUID())).flat();
    expect(all).toHaveLength(2_000);
    expect(new Set(all).size).toBe(2_000);
    for (const code of all) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
    // Every letter is about as frequent: 32,000 letters, 1,000 of each.
    const counts = new Map<string, number>();
    for (const letter of all.join('').replaceAll('-', '')) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    expect(counts.size).toBe(32);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(200);
  });

  it('are the same again for the same set, and others under another key', () => {
    const setId = randomUUID();
    expect(recovery.codes(setId)).toEqual(recovery.codes(setId));
    expect(createRecoveryCodes(randomBytes(32)).codes(setId)).not.toEqual(recovery.codes(setId));
  });

  it('are known by a hash that is bound to the account', () => {
    const [code = ''] = recovery.codes(randomUUID());
    expect(recovery.hash(USER, code)).toHaveLength(32);
    expect(recovery.hash(USER, code)).toEqual(recovery.hash(USER, code));
    expect(recovery.hash(randomUUID(), code)).not.toEqual(recovery.hash(USER, code));
  });

  it('may be typed in small letters, without hyphens, with blanks, and with letters that look like digits', () => {
    const code = 'A01B-C1D0-0000-1111';
    const hash = recovery.hash(USER, code);
    for (const typed of ['a01b-c1d0-0000-1111', 'A01BC1D000001111', 'A01B C1D0 0000 1111', 'AOIB-CLDo-OOOO-iIlL'])
      expect(recovery.hash(USER, typed)).toEqual(hash);
  });

  it.each(['', '123456', 'A01B-C1D0-0000', 'A01B-C1D0-0000-1111-2', 'U01B-C1D0-0000-1111', 'A01B_C1D0_0000_1111'])(
    '%p is none',
    (code) => {
      expect(recovery.hash(USER, code)).toBeUndefined();
    },
  );
});
