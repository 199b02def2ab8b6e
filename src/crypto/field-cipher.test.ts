import { randomBytes } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { staticDataKeys, staticPersonKeys } from '../../test/support/static-keys';
import type { FieldCipherError } from '../contracts/data-protection';

import { createFieldCipher } from './field-cipher';

const key = randomBytes(32);
const personKeys = staticPersonKeys();
const refused: string[] = [];
const cipherOf = (keys: Readonly<Record<string, Buffer>>, persons = personKeys) =>
  createFieldCipher('fields', {
    dataKeys: staticDataKeys(keys),
    personKeys: persons,
    onRefused: (error: FieldCipherError) => refused.push(error.reason),
  });
const cipher = cipherOf({ k1: key });
const person = '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11';
const place = { table: 'users', column: 'fayda_id_ciphertext', rowId: person, personId: person };
const faydaId = '614079823471';
const other = '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a12';

describe('the field cipher', () => {
  it('gives back what it encrypted, and never the same text twice', async () => {
    const [first, second] = [await cipher.encrypt(faydaId, place), await cipher.encrypt(faydaId, place)];
    expect(first).not.toBe(second);
    expect(first).not.toContain(faydaId);
    expect(await cipher.decrypt(first, place)).toBe(faydaId);
    expect(await cipher.decrypt(second, place)).toBe(faydaId);
  });

  it.each([
    ['another row', { ...place, rowId: other }],
    ['another column', { ...place, column: 'phone_ciphertext' }],
    ['another table', { ...place, table: 'registrations' }],
    ['another person', { ...place, personId: other }],
    ['nobody', { ...place, personId: undefined }],
  ])('refuses a value that was moved to %s, and reports it', async (_where, elsewhere) => {
    await personKeys.ensure(other);
    refused.length = 0;
    await expect(cipher.decrypt(await cipher.encrypt(faydaId, place), elsewhere)).rejects.toMatchObject({
      name: 'FieldCipherError',
      reason: 'not_authentic',
      location: elsewhere,
    });
    expect(refused).toEqual(['not_authentic']);
  });

  it('refuses a value in which any one byte was changed', async () => {
    const [version, keyId, sealed = ''] = (await cipher.encrypt(faydaId, place)).split(':');
    const bytes = Buffer.from(sealed, 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
      const value = `${String(version)}:${String(keyId)}:${altered.toString('base64url')}`;
      await expect(cipher.decrypt(value, place)).rejects.toThrow('not_authentic');
    }
  });

  it('refuses a value that was cut off anywhere', async () => {
    const value = await cipher.encrypt(faydaId, place);
    for (let length = 0; length < value.length; length += 1)
      await expect(cipher.decrypt(value.slice(0, length), place)).rejects.toThrow(
        /malformed|not_authentic|unknown_key/,
      );
  });

  it.each(['', 'v2:k1:', 'v1:k1:AAAA', 'plain text', 'v2:k1:AAAA'])('refuses %j', async (value) => {
    await expect(cipher.decrypt(value, place)).rejects.toThrow(/malformed|not_authentic/);
  });

  it('refuses a value under a key that it does not have, and says so', async () => {
    const stranger = cipherOf({ k2: randomBytes(32) });
    await expect(cipher.decrypt(await stranger.encrypt(faydaId, place), place)).rejects.toThrow('unknown_key');
  });

  it('reads values of an older key and writes under the active one', async () => {
    const rotated = cipherOf({ k2: randomBytes(32), k1: key });
    expect(await rotated.decrypt(await cipher.encrypt(faydaId, place), place)).toBe(faydaId);
    expect(await rotated.encrypt(faydaId, place)).toMatch(/^v2:k2:/);
  });

  it('needs the secret of the person, and neither reads nor writes once it is destroyed', async () => {
    const persons = staticPersonKeys();
    const own = cipherOf({ k1: key }, persons);
    const value = await own.encrypt(faydaId, place);
    await expect(cipher.decrypt(value, place)).rejects.toThrow('not_authentic');
    await expect(cipherOf({ k1: key }, staticPersonKeys()).decrypt(value, place)).rejects.toThrow('unknown_person');
    persons.erase(person);
    refused.length = 0;
    await expect(own.decrypt(value, place)).rejects.toThrow('erased');
    await expect(own.encrypt(faydaId, place)).rejects.toThrow('erased');
    // No incident: it is what was asked for.
    expect(refused).toEqual([]);
  });

  it('encrypts what is about nobody without anybody', async () => {
    const nobody = { ...place, personId: undefined };
    expect(await cipher.decrypt(await cipher.encrypt(faydaId, nobody), nobody)).toBe(faydaId);
  });
});
