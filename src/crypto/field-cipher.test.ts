import { randomBytes } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { createFieldCipher } from './field-cipher';

const key = randomBytes(32);
const cipher = createFieldCipher({ activeKeyId: 'k1', keys: new Map([['k1', key]]) });
const place = { table: 'users', column: 'fayda_id_ciphertext', rowId: '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11' };
const faydaId = '614079823471';

describe('the field cipher', () => {
  it('gives back what it encrypted, and never the same text twice', () => {
    const [first, second] = [cipher.encrypt(faydaId, place), cipher.encrypt(faydaId, place)];
    expect(first).not.toBe(second);
    expect(first).not.toContain(faydaId);
    expect(cipher.decrypt(first, place)).toBe(faydaId);
    expect(cipher.decrypt(second, place)).toBe(faydaId);
  });

  it.each([
    ['another row', { ...place, rowId: '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a12' }],
    ['another column', { ...place, column: 'phone_ciphertext' }],
    ['another table', { ...place, table: 'registrations' }],
  ])('refuses a value that was moved to %s', (_where, elsewhere) => {
    expect(() => cipher.decrypt(cipher.encrypt(faydaId, place), elsewhere)).toThrow('not_authentic');
  });

  it('refuses a value in which any one byte was changed', () => {
    const [version, keyId, sealed = ''] = cipher.encrypt(faydaId, place).split(':');
    const bytes = Buffer.from(sealed, 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
      expect(() =>
        cipher.decrypt(`${String(version)}:${String(keyId)}:${altered.toString('base64url')}`, place),
      ).toThrow('not_authentic');
    }
  });

  it.each(['', 'v1:k1:', 'v2:k1:AAAA', 'plain text', 'v1:k1:AAAA'])('refuses %j', (value) => {
    expect(() => cipher.decrypt(value, place)).toThrow(/malformed|not_authentic/);
  });

  it('refuses a value under a key that it does not have, and says so', () => {
    const other = createFieldCipher({ activeKeyId: 'k2', keys: new Map([['k2', randomBytes(32)]]) });
    expect(() => cipher.decrypt(other.encrypt(faydaId, place), place)).toThrow('unknown_key');
  });

  it('reads values of a retired key and writes under the active one', () => {
    const rotated = createFieldCipher({
      activeKeyId: 'k2',
      keys: new Map([
        ['k2', randomBytes(32)],
        ['k1', key],
      ]),
    });
    expect(rotated.decrypt(cipher.encrypt(faydaId, place), place)).toBe(faydaId);
    expect(rotated.encrypt(faydaId, place)).toMatch(/^v1:k2:/);
  });
});
