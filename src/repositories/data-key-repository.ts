import type { DataKeyPurpose } from '../contracts/keys';

import type { AuditTrail } from './audit-trail';
import type { Database } from './prisma-client';
import type { Sql } from './sql';

/** A data key encrypts and decrypts (`ACTIVE`), then decrypts while values under it are left (`RETIRING`), then is put away. */
export type DataKeyState = 'ACTIVE' | 'RETIRING' | 'RETIRED';

export interface DataKeyRow {
  readonly id: string;
  readonly purpose: DataKeyPurpose;
  readonly state: DataKeyState;
  /** Under the root key. */
  readonly wrapped: string;
  readonly createdAt: Date;
}

export interface DataKeyRepository {
  /** The keys that encrypt or decrypt. */
  load(): Promise<DataKeyRow[]>;
  /** Stores the first key of a purpose; does nothing where there is one. */
  create(keys: readonly DataKeyRow[]): Promise<void>;
  /** Whether nothing was ever encrypted in this database. */
  isFresh(): Promise<boolean>;
}

const LOAD = {
  name: 'data-key/load',
  text: `
    SELECT id, purpose, state::text, wrapped, created_at AS "createdAt" FROM data_keys
    WHERE state <> 'RETIRED' ORDER BY created_at, id`,
};
const CREATE = {
  name: 'data-key/create',
  text: `
    INSERT INTO data_keys (id, purpose, state, wrapped, created_at)
    SELECT id, purpose, 'ACTIVE', wrapped, $4
    FROM unnest($1::text[], $2::text[], $3::text[]) AS made(id, purpose, wrapped)
    ON CONFLICT (purpose) WHERE state = 'ACTIVE' DO NOTHING`,
};
const IS_FRESH = {
  name: 'data-key/is-fresh',
  text: `
    SELECT NOT EXISTS (SELECT 1 FROM users) AND NOT EXISTS (SELECT 1 FROM signing_keys)
      AND NOT EXISTS (SELECT 1 FROM audit_events) AS fresh`,
};

/** A key that no longer encrypts. */
export interface RetiringKeyRow {
  readonly id: string;
  readonly purpose: DataKeyPurpose;
  /** When another key became the active one. */
  readonly retiringAt: Date;
}

/** What a rotation does; every change of state may be asked for twice. */
export interface DataKeyStates {
  /** When the active key was made. */
  activeSince(purpose: DataKeyPurpose): Promise<Date | undefined>;
  /** Makes `key` the active one, where the active one was made before `madeBefore`. @returns whether it did */
  activate(key: DataKeyRow, madeBefore: Date): Promise<boolean>;
  retiring(): Promise<RetiringKeyRow[]>;
  /** Puts a key away that nothing uses. */
  retire(key: Pick<RetiringKeyRow, 'id' | 'purpose'>): Promise<void>;
}

const ACTIVE_SINCE = {
  name: 'data-key/active-since',
  text: `SELECT created_at FROM data_keys WHERE purpose = $1 AND state = 'ACTIVE'`,
};
const REPLACE = {
  name: 'data-key/replace',
  text: `
    UPDATE data_keys SET state = 'RETIRING', retiring_at = $2
    WHERE purpose = $1 AND state = 'ACTIVE' AND created_at < $3 RETURNING id`,
};
const INSERT = {
  name: 'data-key/insert',
  text: `INSERT INTO data_keys (id, purpose, state, wrapped, created_at) VALUES ($1, $2, 'ACTIVE', $3, $4)`,
};
const RETIRING = {
  name: 'data-key/retiring',
  text: `
    SELECT id, purpose, retiring_at AS "retiringAt" FROM data_keys WHERE state = 'RETIRING' ORDER BY retiring_at, id`,
};
const RETIRE = {
  name: 'data-key/retire',
  text: `UPDATE data_keys SET state = 'RETIRED', retired_at = $2 WHERE id = $1 AND state = 'RETIRING' RETURNING id`,
};

const SERVICE = { kind: 'service' } as const;

export const createDataKeyStates = (
  { sql, transact }: Pick<Database, 'sql' | 'transact'>,
  audit: Pick<AuditTrail, 'append'>,
): DataKeyStates => ({
  async activeSince(purpose) {
    const [row] = await sql<{ created_at: Date }>(ACTIVE_SINCE, [purpose]);
    return row?.created_at;
  },
  activate: ({ id, purpose, wrapped }, madeBefore) =>
    transact(async (within) => {
      const now = new Date();
      const [old] = await within<{ id: string }>(REPLACE, [purpose, now, madeBefore]);
      if (old === undefined) return false;
      await within(INSERT, [id, purpose, wrapped, now]);
      const details = { keyId: id, purpose, instead: old.id };
      await audit.append(within, { action: 'data_key.activated', actor: SERVICE, details });
      return true;
    }),
  retiring: () => sql<RetiringKeyRow>(RETIRING, []),
  retire: ({ id, purpose }) =>
    transact(async (within) => {
      if ((await within(RETIRE, [id, new Date()])).length === 0) return;
      await audit.append(within, { action: 'data_key.retired', actor: SERVICE, details: { keyId: id, purpose } });
    }),
});

/** @param sql of the connections for keys: a transaction may wait for a key, never the other way round */
export const createDataKeyRepository = (sql: Sql): DataKeyRepository => ({
  load: () => sql<DataKeyRow>(LOAD, []),
  async create(keys) {
    const columns = [keys.map(({ id }) => id), keys.map(({ purpose }) => purpose), keys.map(({ wrapped }) => wrapped)];
    await sql(CREATE, [...columns, new Date()]);
  },
  async isFresh() {
    const [row] = await sql<{ fresh: boolean }>(IS_FRESH, []);
    return row?.fresh === true;
  },
});
