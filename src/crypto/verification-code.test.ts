import { randomBytes } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { createVerificationCodes } from './verification-code';

const codes = createVerificationCodes(randomBytes(32));
const registrationId = '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11';

describe('verification codes', () => {
  it('are the same for the same mail, and differ by mail, registration and key', () => {
    const code = codes.code(registrationId, 1);
    expect(codes.code(registrationId, 1)).toBe(code);
    const others = [
      codes.code(registrationId, 2),
      codes.code('019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a12', 1),
      createVerificationCodes(randomBytes(32)).code(registrationId, 1),
    ];
    // One of a million may be equal by chance; all three never.
    expect(others.every((other) => other === code)).toBe(false);
  });

  it('have six digits and use the whole range evenly', () => {
    const counts = new Array<number>(10).fill(0);
    for (let issue = 1; issue <= 5_000; issue += 1) {
      const code = codes.code(registrationId, issue);
      expect(code).toMatch(/^\d{6}$/);
      counts[Number(code[0])] = (counts[Number(code[0])] ?? 0) + 1;
    }
    // 500 expected for each first digit, standard deviation 21: ten of them off by chance once in 10^20.
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(200);
  });

  it('match only their own registration', () => {
    const stored = codes.hash(registrationId, '123456');
    expect(codes.matches(stored, registrationId, '123456')).toBe(true);
    expect(codes.matches(stored, registrationId, '123457')).toBe(false);
    expect(codes.matches(stored, '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a12', '123456')).toBe(false);
  });

  it('match nothing where there is none: a decoy', () => {
    expect(codes.matches(null, registrationId, codes.code(registrationId, 1))).toBe(false);
  });
});
