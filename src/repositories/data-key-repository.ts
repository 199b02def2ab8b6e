import type { DataKeyPurpose } from '../contracts/keys';

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
