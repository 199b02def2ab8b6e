import type { FieldCipher } from '../contracts/data-protection';
import { type Jwk, jwkSchema } from '../contracts/session';

import type { Database } from './prisma-client';
import type { Sql } from './sql';

/** A key pair that signs access tokens. */
export interface SigningKeyRecord {
  /** JWK thumbprint (RFC 7638), the `kid`. */
  readonly id: string;
  readonly algorithm: 'ES256';
  readonly publicJwk: Jwk;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
}

export interface SigningKeyRepository {
  /** The active key; `create` makes the first one, once however many processes ask at the same time. */
  findActive(create: () => Promise<SigningKeyRecord>): Promise<SigningKeyRecord>;
  /** Public keys that verify tokens. */
  findPublic(): Promise<Pick<SigningKeyRecord, 'id' | 'publicJwk'>[]>;
}

/** Any number that no other advisory lock of this database uses. */
const FIRST_KEY_LOCK = 7_303_014;

interface KeyRow {
  readonly id: string;
  readonly public_jwk: unknown;
  readonly private_key_ciphertext: string;
}

const FIND_ACTIVE = {
  name: 'signing-key/find-active',
  text: `
    SELECT id, public_jwk, private_key_ciphertext FROM signing_keys
    WHERE state = 'ACTIVE' ORDER BY created_at DESC LIMIT 1`,
};
const FIND_PUBLIC = {
  name: 'signing-key/find-public',
  text: 'SELECT id, public_jwk FROM signing_keys ORDER BY created_at',
};
const LOCK = { name: 'signing-key/lock', text: 'SELECT pg_advisory_xact_lock($1)' };
const CREATE = {
  name: 'signing-key/create',
  text: `
    INSERT INTO signing_keys (id, algorithm, state, public_jwk, private_key_ciphertext, activated_at)
    VALUES ($1, $2, 'ACTIVE', $3, $4, $5)`,
};

export const createSigningKeyRepository = (
  { sql, transact }: Pick<Database, 'sql' | 'transact'>,
  cipher: FieldCipher,
): SigningKeyRepository => {
  const location = (rowId: string) => ({ table: 'signing_keys', column: 'private_key_ciphertext', rowId });

  const readActive = async (from: Sql): Promise<SigningKeyRecord | undefined> => {
    const [row] = await from<KeyRow>(FIND_ACTIVE, []);
    if (row === undefined) return undefined;
    return {
      id: row.id,
      algorithm: 'ES256',
      publicJwk: jwkSchema.parse(row.public_jwk),
      privateKey: cipher.decrypt(row.private_key_ciphertext, location(row.id)),
    };
  };

  return {
    findActive: async (create) =>
      (await readActive(sql)) ??
      transact(async (inTransaction) => {
        await inTransaction(LOCK, [FIRST_KEY_LOCK]);
        const meanwhile = await readActive(inTransaction);
        if (meanwhile !== undefined) return meanwhile;
        const key = await create();
        const privateKey = cipher.encrypt(key.privateKey, location(key.id));
        await inTransaction(CREATE, [key.id, key.algorithm, key.publicJwk, privateKey, new Date()]);
        return key;
      }),

    async findPublic() {
      const rows = await sql<KeyRow>(FIND_PUBLIC, []);
      return rows.map(({ id, public_jwk }) => ({ id, publicJwk: jwkSchema.parse(public_jwk) }));
    },
  };
};
