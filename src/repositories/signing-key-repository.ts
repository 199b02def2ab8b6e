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

/**
 * A key is pending (published, not used), then active (signs), then retired (verifies), then gone. One key is active; every
 * change of state is made under one lock and may be asked for twice.
 */
export interface SigningKeyRepository {
  /** The active key; `create` makes the first one, once however many processes ask at the same time. */
  findActive(create: () => Promise<SigningKeyRecord>): Promise<SigningKeyRecord>;
  /** Public keys of every state: what verifies tokens, and what will. */
  findPublic(): Promise<Pick<SigningKeyRecord, 'id' | 'publicJwk'>[]>;
  /** The id of the pending key; `create` makes it where there is none. */
  ensurePending(create: () => Promise<SigningKeyRecord>): Promise<string>;
  /** Makes a pending key the active one. @returns ids of all keys that are retired now; undefined where there is no such key */
  activate(id: string): Promise<string[] | undefined>;
  /** Removes a key that has been retired for `retainMs`. @returns milliseconds that it still has to stay; 0 when it is gone */
  removeRetired(id: string, retainMs: number): Promise<number>;
}

/** Any number that no other advisory lock of this database uses. */
const STATE_LOCK = 7_303_014;

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
    INSERT INTO signing_keys (id, algorithm, state, public_jwk, private_key_ciphertext, created_at, activated_at)
    VALUES ($1, $2, $3::signing_key_state, $4, $5, $6, $7)`,
};
const FIND_PENDING = {
  name: 'signing-key/find-pending',
  text: `SELECT id FROM signing_keys WHERE state = 'PENDING' ORDER BY created_at LIMIT 1`,
};
const RETIRE_OTHERS = {
  name: 'signing-key/retire-others',
  text: `
    UPDATE signing_keys SET state = 'RETIRED', retired_at = $2
    WHERE state = 'ACTIVE' AND EXISTS (SELECT 1 FROM signing_keys WHERE id = $1 AND state = 'PENDING')`,
};
const ACTIVATE = {
  name: 'signing-key/activate',
  text: `
    UPDATE signing_keys SET state = 'ACTIVE', activated_at = COALESCE(activated_at, $2)
    WHERE id = $1 AND state IN ('PENDING', 'ACTIVE') RETURNING id`,
};
const FIND_RETIRED = {
  name: 'signing-key/find-retired',
  text: `SELECT id FROM signing_keys WHERE state = 'RETIRED' ORDER BY retired_at`,
};
const FIND_RETIREMENT = {
  name: 'signing-key/find-retirement',
  text: `SELECT retired_at FROM signing_keys WHERE id = $1 AND state = 'RETIRED'`,
};
const REMOVE = {
  name: 'signing-key/remove',
  text: `DELETE FROM signing_keys WHERE id = $1 AND state = 'RETIRED'`,
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
      privateKey: await cipher.decrypt(row.private_key_ciphertext, location(row.id)),
    };
  };

  const insert = async (into: Sql, key: SigningKeyRecord, state: 'PENDING' | 'ACTIVE'): Promise<void> => {
    const now = new Date();
    const privateKey = await cipher.encrypt(key.privateKey, location(key.id));
    const activatedAt = state === 'ACTIVE' ? now : null;
    await into(CREATE, [key.id, key.algorithm, state, key.publicJwk, privateKey, now, activatedAt]);
  };

  const changing = <T>(work: (inTransaction: Sql) => Promise<T>): Promise<T> =>
    transact(async (inTransaction) => {
      await inTransaction(LOCK, [STATE_LOCK]);
      return work(inTransaction);
    });

  return {
    findActive: async (create) =>
      (await readActive(sql)) ??
      changing(async (inTransaction) => {
        const meanwhile = await readActive(inTransaction);
        if (meanwhile !== undefined) return meanwhile;
        const key = await create();
        await insert(inTransaction, key, 'ACTIVE');
        return key;
      }),

    async findPublic() {
      const rows = await sql<KeyRow>(FIND_PUBLIC, []);
      return rows.map(({ id, public_jwk }) => ({ id, publicJwk: jwkSchema.parse(public_jwk) }));
    },

    ensurePending: (create) =>
      changing(async (inTransaction) => {
        const [pending] = await inTransaction<Pick<KeyRow, 'id'>>(FIND_PENDING, []);
        if (pending !== undefined) return pending.id;
        const key = await create();
        await insert(inTransaction, key, 'PENDING');
        return key.id;
      }),

    activate: (id) =>
      changing(async (inTransaction) => {
        const now = new Date();
        await inTransaction(RETIRE_OTHERS, [id, now]);
        if ((await inTransaction(ACTIVATE, [id, now])).length === 0) return undefined;
        return (await inTransaction<Pick<KeyRow, 'id'>>(FIND_RETIRED, [])).map((row) => row.id);
      }),

    async removeRetired(id, retainMs) {
      const [row] = await sql<{ retired_at: Date }>(FIND_RETIREMENT, [id]);
      if (row === undefined) return 0;
      const remainingMs = row.retired_at.getTime() + retainMs - Date.now();
      if (remainingMs > 0) return remainingMs;
      await sql(REMOVE, [id]);
      return 0;
    },
  };
};
