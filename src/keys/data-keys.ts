import { randomBytes } from 'node:crypto';

import {
  DATA_KEY_PURPOSES,
  type DataKey,
  DataKeyError,
  type DataKeyPurpose,
  type DataKeys,
  type RootKey,
} from '../contracts/keys';
import type { KeysConfig } from '../config/keys.config';
import { createRefreshedView } from '../crypto/refreshed-view';
import type { DataKeyRepository, DataKeyRow } from '../repositories/data-key-repository';

const KEY_BYTES = 32;

interface View {
  readonly active: ReadonlyMap<DataKeyPurpose, DataKey>;
  readonly byId: ReadonlyMap<string, Buffer>;
}

const nameOf = (purpose: string, id: string): string => `${purpose}/${id}`;

/** A new data key, wrapped: `fields-20261126-5f0c2a9b` tells an operator what it is for and when it was made. */
export const newDataKey = async (rootKey: RootKey, purpose: DataKeyPurpose, now: Date): Promise<DataKeyRow> => {
  const day = now.toISOString().slice(0, 10).replaceAll('-', '');
  const id = `${purpose}-${day}-${randomBytes(4).toString('hex')}`;
  const key = randomBytes(KEY_BYTES);
  return { id, purpose, state: 'ACTIVE', wrapped: await rootKey.wrap(key, { id, purpose }), createdAt: now };
};

/** The data keys, and whether they can be used at all. */
export interface DataKeyRing extends DataKeys {
  /** Loads every key, and makes those of a new installation. @throws {DataKeyError} @throws {RootKeyError} */
  check(): Promise<void>;
}

/**
 * The data keys as this process knows them, never older than the configuration allows: a rotation needs no restart. Each is
 * unwrapped once.
 *
 * @param now milliseconds since 1970
 */
export const createDataKeys = (
  store: Pick<DataKeyRepository, 'load' | 'create' | 'isFresh'>,
  rootKey: RootKey,
  times: Pick<KeysConfig, 'refreshAfterMs' | 'staleAfterMs'>,
  now: () => number = Date.now,
): DataKeyRing => {
  const unwrapped = new Map<string, Buffer>();

  const unwrap = async ({ id, purpose, wrapped }: DataKeyRow): Promise<Buffer> => {
    const known = unwrapped.get(nameOf(purpose, id));
    if (known !== undefined) return known;
    const key = await rootKey.unwrap(wrapped, { id, purpose });
    unwrapped.set(nameOf(purpose, id), key);
    return key;
  };

  const missingOf = (rows: readonly DataKeyRow[]): DataKeyPurpose[] =>
    DATA_KEY_PURPOSES.filter((purpose) => !rows.some((row) => row.purpose === purpose));

  /** Something was encrypted already: if not by the process that has made the keys this moment, they were lost. */
  const loadAgain = async (): Promise<DataKeyRow[]> => {
    const rows = await store.load();
    const lost = missingOf(rows);
    if (lost.length === 0) return rows;
    const message =
      `The database holds encrypted values, but no data keys for ${lost.join(', ')}: restore the key store from its ` +
      'backup (docs/keys.md). What is encrypted cannot be read without it';
    throw new DataKeyError('key_store_missing', message);
  };

  /** The rows, with a key for each purpose, which the first process of a new installation makes. */
  const loadRows = async (): Promise<DataKeyRow[]> => {
    const rows = await store.load();
    const missing = missingOf(rows);
    if (missing.length === 0) return rows;
    if (!(await store.isFresh())) return loadAgain();
    const made = await Promise.all(missing.map((purpose) => newDataKey(rootKey, purpose, new Date(now()))));
    // Whichever process was first: its keys are the ones.
    await store.create(made);
    return store.load();
  };

  const read = async (): Promise<View> => {
    const active = new Map<DataKeyPurpose, DataKey>();
    const byId = new Map<string, Buffer>();
    for (const row of await loadRows()) {
      const key = await unwrap(row);
      byId.set(nameOf(row.purpose, row.id), key);
      if (row.state === 'ACTIVE') active.set(row.purpose, { id: row.id, key });
    }
    return { active, byId };
  };

  // A new key encrypts at once, wherever it is known; whoever meets one of its values must find it. Nobody else can invent one.
  const view = createRefreshedView(read, { ...times, unknownCooldownMs: 0 }, now);

  return {
    async active(purpose) {
      const key = (await view.current()).active.get(purpose);
      if (key === undefined) throw new DataKeyError('no_active_key', `There is no active data key for ${purpose}`);
      return key;
    },
    find: (purpose, id) => view.find(({ byId }) => byId.get(nameOf(purpose, id))),
    async check() {
      await view.load();
    },
  };
};
