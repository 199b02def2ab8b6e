import { hkdfSync } from 'node:crypto';

import {
  type FieldCipher,
  FieldCipherError,
  type FieldCipherReason,
  type FieldLocation,
} from '../contracts/data-protection';
import { type DataKeyPurpose, type DataKeys, PersonKeyError, type PersonKeys } from '../contracts/keys';

import { open, seal } from './aead';

const VERSION = 'v2';
const FORMAT = /^v2:([a-z0-9-]{1,32}):([A-Za-z0-9_-]+)$/;

/** JSON, because a plain separator could stand in a part and let two places share one text. */
const associatedData = ({ table, column, rowId, personId }: FieldLocation, keyId: string): string =>
  JSON.stringify([VERSION, keyId, table, column, rowId, personId ?? null]);

/** The key of one person's values (RFC 5869): neither the data key nor the person's secret gives it alone. */
const personalKey = (dataKey: Buffer, secret: Buffer): Buffer =>
  Buffer.from(hkdfSync('sha256', dataKey, secret, 'meqenet-auth/person', 32));

export interface FieldCipherParts {
  readonly dataKeys: DataKeys;
  readonly personKeys: PersonKeys;
  /** Hears of every value that was refused because somebody must have altered or moved it, or its key is gone. */
  readonly onRefused?: ((error: FieldCipherError) => void) | undefined;
}

/**
 * Field encryption with AES-256-GCM as `v2:<data key id>:<base64url>`. The associated data is the place of the value, so a
 * cipher text copied to another row, column or person does not decrypt there (ASVS 11.3.3).
 */
export const createFieldCipher = (
  purpose: DataKeyPurpose,
  { dataKeys, personKeys, onRefused }: FieldCipherParts,
): FieldCipher => {
  const refuse = (reason: FieldCipherReason, location: FieldLocation): never => {
    const error = new FieldCipherError(reason, location);
    // A person who was erased is no incident.
    if (reason !== 'erased') onRefused?.(error);
    throw error;
  };

  const keyFor = async (dataKey: Buffer, location: FieldLocation, secretOf: (id: string) => Promise<Buffer>) => {
    if (location.personId === undefined) return dataKey;
    try {
      return personalKey(dataKey, await secretOf(location.personId));
    } catch (error) {
      if (!(error instanceof PersonKeyError)) throw error;
      return refuse(error.reason, location);
    }
  };

  return {
    async encrypt(plaintext, location) {
      const { id, key } = await dataKeys.active(purpose);
      const fieldKey = await keyFor(key, location, (id) => personKeys.ensure(id));
      const sealed = seal(fieldKey, Buffer.from(plaintext, 'utf8'), associatedData(location, id));
      return `${VERSION}:${id}:${sealed.toString('base64url')}`;
    },
    async decrypt(ciphertext, location) {
      const [, keyId, sealed] = FORMAT.exec(ciphertext) ?? [];
      if (keyId === undefined || sealed === undefined) return refuse('malformed', location);
      const key = await dataKeys.find(purpose, keyId);
      if (key === undefined) return refuse('unknown_key', location);
      const fieldKey = await keyFor(key, location, (id) => personKeys.find(id));
      try {
        return open(fieldKey, Buffer.from(sealed, 'base64url'), associatedData(location, keyId)).toString('utf8');
      } catch {
        return refuse('not_authentic', location);
      }
    },
  };
};
