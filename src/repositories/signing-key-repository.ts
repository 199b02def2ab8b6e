import type { FieldCipher } from '../contracts/data-protection';
import { type Jwk, jwkSchema } from '../contracts/session';
import type { Prisma } from '../generated/prisma/client';

import type { Database } from './prisma-client';

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

export const createSigningKeyRepository = (database: Database, cipher: FieldCipher): SigningKeyRepository => {
  const location = (rowId: string) => ({ table: 'signing_keys', column: 'private_key_ciphertext', rowId });

  const readActive = async (client: Prisma.TransactionClient): Promise<SigningKeyRecord | undefined> => {
    const row = await client.signingKey.findFirst({ where: { state: 'ACTIVE' }, orderBy: { createdAt: 'desc' } });
    if (row === null) return undefined;
    return {
      id: row.id,
      algorithm: 'ES256',
      publicJwk: jwkSchema.parse(row.publicJwk),
      privateKey: cipher.decrypt(row.privateKeyCiphertext, location(row.id)),
    };
  };

  return {
    async findActive(create) {
      const existing = await readActive(database);
      if (existing !== undefined) return existing;
      return database.$transaction(async (transaction) => {
        await transaction.$queryRaw`SELECT 1 FROM (SELECT pg_advisory_xact_lock(${FIRST_KEY_LOCK}::bigint)) AS locked`;
        const meanwhile = await readActive(transaction);
        if (meanwhile !== undefined) return meanwhile;
        const key = await create();
        await transaction.signingKey.create({
          data: {
            id: key.id,
            algorithm: key.algorithm,
            state: 'ACTIVE',
            publicJwk: key.publicJwk,
            privateKeyCiphertext: cipher.encrypt(key.privateKey, location(key.id)),
            activatedAt: new Date(),
          },
        });
        return key;
      });
    },

    async findPublic() {
      const rows = await database.signingKey.findMany({
        select: { id: true, publicJwk: true },
        orderBy: { createdAt: 'asc' },
      });
      return rows.map(({ id, publicJwk }) => ({ id, publicJwk: jwkSchema.parse(publicJwk) }));
    },
  };
};
