import { describe, expect, it, test } from '@jest/globals';
import { HOTP, Secret, TOTP } from 'otpauth';
import { generateSync } from 'otplib';

import { oathtoolCode, testWithOathtool } from '../../test/support/oathtool';

import { createTotp } from './totp';

/** The secret of the vectors of both RFCs: twenty ASCII characters, base32. */
const SECRET = Secret.fromUTF8('12345678901234567890').base32;
const STEP_MS = 30_000;
const at = (milliseconds: number) => createTotp(() => milliseconds);

describe('the vectors of RFC 4226, appendix D', () => {
  const codes = ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489'];
  it.each(codes.map((code, counter) => ({ code, counter })))('$counter gives $code', ({ code, counter }) => {
    expect(HOTP.generate({ secret: Secret.fromBase32(SECRET), counter })).toBe(code);
    // A time step is a counter.
    expect(at(counter * STEP_MS).match(SECRET, code)).toBe(counter);
  });
});

describe('the vectors of RFC 6238, appendix B (SHA-1; eight digits there, of which an app shows six)', () => {
  it.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('at %d', (seconds, code) => {
    const timestamp = seconds * 1_000;
    const options = { secret: Secret.fromBase32(SECRET), digits: 8, timestamp };
    expect(TOTP.generate(options)).toBe(code);
    expect(at(timestamp).match(SECRET, code.slice(2))).toBe(Math.floor(seconds / 30));
  });
});

describe('a code', () => {
  const now = 1_900_000_000_000;
  const step = Math.floor(now / STEP_MS);
  const codeOf = (when: number) => generateSync({ secret: SECRET, epoch: Math.floor(when / 1_000) });

  test.each([-1, 0, 1])('of step %d is good, and says which step it is', (offset) => {
    expect(at(now).match(SECRET, codeOf(now + offset * STEP_MS))).toBe(step + offset);
  });

  test.each([-2, 2, -100])('of step %d is not', (offset) => {
    expect(at(now).match(SECRET, codeOf(now + offset * STEP_MS))).toBeUndefined();
  });

  test.each(['', '12345', '1234567', 'abcdef', ' 12345', '-12345', '１２３４５６'])('%p is none', (code) => {
    expect(at(now).match(SECRET, code)).toBeUndefined();
  });

  test('of an independent implementation (otplib) is good, whatever the secret and the time', () => {
    for (let round = 0; round < 50; round += 1) {
      const secret = createTotp().newSecret();
      const when = now + round * 7_919_000;
      const code = generateSync({ secret, epoch: Math.floor(when / 1_000) });
      expect(at(when).match(secret, code)).toBe(Math.floor(when / STEP_MS));
    }
  });

  testWithOathtool('of oathtool (OATH Toolkit, where it is installed) is good', () => {
    for (let round = 0; round < 10; round += 1) {
      const secret = createTotp().newSecret();
      const seconds = Math.floor(now / 1_000) + round * 7_919;
      expect(at(seconds * 1_000).match(secret, oathtoolCode(secret, seconds))).toBe(Math.floor(seconds / 30));
    }
  });
});

describe('a secret', () => {
  it('has 160 random bits', () => {
    const secrets = Array.from({ length: 100 }, () => createTotp().newSecret());
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) expect(Secret.fromBase32(secret).bytes).toHaveLength(20);
  });

  it('is told to authenticator apps by a key URI', () => {
    const uri = new URL(createTotp().keyUri(SECRET, 'abebe+1@example.et'));
    expect(uri.protocol).toBe('otpauth:');
    expect(decodeURIComponent(uri.pathname)).toMatch(/Meqenet:abebe\+1@example\.et$/);
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      issuer: 'Meqenet',
      secret: SECRET,
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
  });
});
