import type { KeyRing } from '../config/fields';
import type { FieldCipher, FieldLocation } from '../contracts/data-protection';

import { open, seal } from './aead';

const VERSION = 'v1';
const FORMAT = /^v1:([a-z0-9-]{1,32}):([A-Za-z0-9_-]+)$/;

/** A value that cannot be read; the message says why and never shows the value. */
export class FieldCipherError extends Error {
  constructor(
    readonly reason: 'malformed' | 'unknown_key' | 'not_authentic',
    location: FieldLocation,
  ) {
    super(`${location.table}.${location.column} cannot be decrypted: ${reason}`);
    this.name = 'FieldCipherError';
  }
}

/** JSON, because a plain separator could stand in a part and let two places share one text. */
const associatedData = ({ table, column, rowId }: FieldLocation, keyId: string): string =>
  JSON.stringify([VERSION, keyId, table, column, rowId]);

/**
 * Field encryption with AES-256-GCM as `v1:<key id>:<base64url>`. The associated data is the place of the value, so a
 * cipher text copied to another row or column does not decrypt there (ASVS 11.3.4).
 */
export const createFieldCipher = ({ activeKeyId, keys }: KeyRing): FieldCipher => {
  const activeKey = keys.get(activeKeyId);
  if (activeKey === undefined) throw new Error('The key ring has no active key');

  return {
    encrypt(plaintext, location) {
      const sealed = seal(activeKey, Buffer.from(plaintext, 'utf8'), associatedData(location, activeKeyId));
      return `${VERSION}:${activeKeyId}:${sealed.toString('base64url')}`;
    },
    decrypt(ciphertext, location) {
      const [, keyId, sealed] = FORMAT.exec(ciphertext) ?? [];
      if (keyId === undefined || sealed === undefined) throw new FieldCipherError('malformed', location);
      const key = keys.get(keyId);
      if (key === undefined) throw new FieldCipherError('unknown_key', location);
      try {
        return open(key, Buffer.from(sealed, 'base64url'), associatedData(location, keyId)).toString('utf8');
      } catch {
        throw new FieldCipherError('not_authentic', location);
      }
    },
  };
};
