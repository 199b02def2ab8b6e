import type { AuditDetails } from '../contracts/audit';
import type { DataKeyPurpose } from '../contracts/keys';

import type { AuditTrail } from './audit-trail';
import type { DataKeyState } from './data-key-repository';
import type { Database } from './prisma-client';
import type { Sql } from './sql';

/** A row of `data_keys`. Times are ISO 8601. */
export interface StoredDataKey {
  readonly id: string;
  readonly purpose: DataKeyPurpose;
  readonly state: DataKeyState;
  readonly wrapped: string;
  readonly createdAt: string;
  readonly retiringAt: string | null;
  readonly retiredAt: string | null;
}

/** A row of `person_keys`: the secret in base64, or null for who was erased. Times are ISO 8601. */
export interface StoredPersonKey {
  readonly personId: string;
  readonly secret: string | null;
  readonly createdAt: string;
  readonly erasedAt: string | null;
}

const DATA_KEYS = {
  name: 'key-store/data-keys',
  text: `
    SELECT id, purpose, state::text, wrapped, to_json(created_at) AS "createdAt",
      to_json(retiring_at) AS "retiringAt", to_json(retired_at) AS "retiredAt"
    FROM data_keys ORDER BY created_at, id`,
};
const PERSON_KEYS = {
  name: 'key-store/person-keys',
  text: `
    SELECT person_id AS "personId", encode(secret, 'base64') AS secret, to_json(created_at) AS "createdAt",
      to_json(erased_at) AS "erasedAt"
    FROM person_keys WHERE person_id > $1 ORDER BY person_id LIMIT $2`,
};
const ERASED = {
  name: 'key-store/erased',
  text: 'SELECT person_id AS id FROM person_keys WHERE erased_at IS NOT NULL ORDER BY person_id',
};
const REWRAP = {
  name: 'key-store/rewrap',
  text: 'UPDATE data_keys SET wrapped = $3 WHERE id = $1 AND wrapped = $2 RETURNING id',
};
const BEGIN_SNAPSHOT = {
  name: 'key-store/snapshot',
  text: 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY',
};
/** No process makes a key, and nobody is erased, until the restore is done. */
const LOCK = { name: 'key-store/lock', text: 'LOCK TABLE data_keys, person_keys IN SHARE ROW EXCLUSIVE MODE' };
/** A key that is there stays as it is; where another one encrypts for the same purpose, this one only decrypts. */
const RESTORE_DATA_KEY = {
  name: 'key-store/restore-data-key',
  text: `
    INSERT INTO data_keys (id, purpose, state, wrapped, created_at, retiring_at, retired_at)
    SELECT $1, $2, (CASE WHEN busy THEN 'RETIRING' ELSE $3 END)::data_key_state, $4, $5::timestamptz,
      CASE WHEN busy THEN now() ELSE $6::timestamptz END, $7::timestamptz
    FROM (SELECT $3 = 'ACTIVE' AND EXISTS (SELECT 1 FROM data_keys WHERE purpose = $2 AND state = 'ACTIVE') AS busy) AS place
    ON CONFLICT (id) DO NOTHING RETURNING id`,
};
/** Who is known keeps what they have, erased or not. */
const RESTORE_PERSON_KEYS = {
  name: 'key-store/restore-person-keys',
  text: `
    INSERT INTO person_keys (person_id, secret, created_at, erased_at)
    SELECT "personId", decode(secret, 'base64'), "createdAt", "erasedAt"
    FROM json_to_recordset($1::json) AS kept("personId" uuid, secret text, "createdAt" timestamptz, "erasedAt" timestamptz)
    ON CONFLICT (person_id) DO NOTHING RETURNING person_id`,
};
const ERASE = {
  name: 'key-store/erase',
  text: `
    INSERT INTO person_keys (person_id, secret, created_at, erased_at)
    SELECT DISTINCT id, NULL::bytea, now(), now() FROM unnest($1::uuid[]) AS id
    ON CONFLICT (person_id) DO UPDATE SET secret = NULL, erased_at = now() WHERE person_keys.erased_at IS NULL
    RETURNING person_id`,
};

const FIRST = '00000000-0000-0000-0000-000000000000';
const PAGE = 1_000;
const OPERATOR = { kind: 'operator' } as const;

/** Every person's key, page by page. */
async function* personKeyPages(sql: Sql): AsyncGenerator<StoredPersonKey[]> {
  for (let last = FIRST; ;) {
    const page = await sql<StoredPersonKey>(PERSON_KEYS, [last, PAGE]);
    const end = page.at(-1);
    if (end === undefined) return;
    yield page;
    last = end.personId;
  }
}

/** What a restore does, all of it in one transaction. */
export interface KeyStoreRestore {
  /** @returns whether it was missing */
  addDataKey(key: StoredDataKey): Promise<boolean>;
  /** @returns how many were missing */
  addPersonKeys(keys: readonly StoredPersonKey[]): Promise<number>;
  /** Destroys the secrets of these, whom the database may know as alive. @returns how many */
  erase(personIds: readonly string[]): Promise<number>;
}

/** The key store as a whole, for the operator's commands. */
export const createKeyStoreRepository = ({ sql, transact }: Pick<Database, 'sql' | 'transact'>) => ({
  dataKeys: () => sql<StoredDataKey>(DATA_KEYS, []),
  erased: async (): Promise<string[]> => (await sql<{ id: string }>(ERASED, [])).map(({ id }) => id),
  /** @returns false where another wrapping stands there by now */
  rewrap: (
    { id, wrapped: old }: StoredDataKey,
    wrapped: string,
    audit: AuditTrail,
    details: AuditDetails,
  ): Promise<boolean> =>
    transact(async (within) => {
      if ((await within(REWRAP, [id, old, wrapped])).length === 0) return false;
      await audit.append(within, { action: 'data_key.rewrapped', actor: OPERATOR, details: { keyId: id, ...details } });
      return true;
    }),
  /** Reads all of it as it was at one moment. */
  read: <T>(work: (dataKeys: readonly StoredDataKey[], personKeys: AsyncIterable<StoredPersonKey[]>) => Promise<T>) =>
    transact(async (within) => {
      await within(BEGIN_SNAPSHOT, []);
      return work(await within<StoredDataKey>(DATA_KEYS, []), personKeyPages(within));
    }),
  /** Restores, and is undone as a whole when `work` throws. */
  restore: <T>(work: (acts: KeyStoreRestore, within: Sql) => Promise<T>): Promise<T> =>
    transact(async (within) => {
      await within(LOCK, []);
      const acts: KeyStoreRestore = {
        addDataKey: async ({ id, purpose, state, wrapped, createdAt, retiringAt, retiredAt }) => {
          const values = [id, purpose, state, wrapped, createdAt, retiringAt, retiredAt];
          return (await within(RESTORE_DATA_KEY, values)).length > 0;
        },
        addPersonKeys: async (keys) => (await within(RESTORE_PERSON_KEYS, [JSON.stringify(keys)])).length,
        erase: async (personIds) => (await within(ERASE, [personIds])).length,
      };
      return work(acts, within);
    }),
});
export type KeyStoreRepository = ReturnType<typeof createKeyStoreRepository>;
