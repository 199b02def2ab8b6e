import { z } from 'zod';

import { DATA_KEY_PURPOSES, type RootKey } from '../contracts/keys';
import type {
  KeyStoreRepository,
  KeyStoreRestore,
  StoredDataKey,
  StoredPersonKey,
} from '../repositories/key-store-repository';

import { openRecords, type SealedHeader, sealRecords, SealedRecordsError } from './sealed-records';

const time = z.iso.datetime({ offset: true });
const dataKeySchema = z.object({
  id: z.string(),
  purpose: z.enum(DATA_KEY_PURPOSES),
  state: z.enum(['ACTIVE', 'RETIRING', 'RETIRED']),
  wrapped: z.string(),
  createdAt: time,
  retiringAt: time.nullable(),
  retiredAt: time.nullable(),
});
const personKeySchema = z.object({
  personId: z.uuid(),
  secret: z.string().nullable(),
  createdAt: time,
  erasedAt: time.nullable(),
});
const recordSchema = z.union([
  z.object({ dataKeys: z.array(dataKeySchema) }),
  z.object({ personKeys: z.array(personKeySchema) }),
]);
const countsSchema = z.object({ dataKeys: z.number(), personKeys: z.number() });
export type KeyStoreCounts = z.output<typeof countsSchema>;

/**
 * Writes the key store as it is at one moment, sealed under the root key. Data keys in it stay wrapped as they are.
 *
 * @param write takes the lines of the file, one after the other
 * @returns how much it holds
 */
export const backUpKeyStore = async (
  store: Pick<KeyStoreRepository, 'read'>,
  rootKey: RootKey,
  write: (lines: AsyncIterable<string>) => Promise<void>,
): Promise<KeyStoreCounts> =>
  store.read(async (dataKeys, pages) => {
    const counts = { dataKeys: dataKeys.length, personKeys: 0 };
    async function* records() {
      yield { dataKeys };
      for await (const personKeys of pages) {
        counts.personKeys += personKeys.length;
        yield { personKeys };
      }
    }
    await write(sealRecords(rootKey, new Date(), records(), () => counts));
    return counts;
  });

export interface RestoredKeyStore {
  readonly header: SealedHeader;
  /** Keys that were missing, and are there again. */
  readonly added: KeyStoreCounts;
  /** Persons whom the database still knew as alive, or not at all, and who had been erased. */
  readonly erased: number;
}

/** Each data key that decrypts must open: a key store that cannot be used must not look like one. */
const addDataKeys = async (
  acts: KeyStoreRestore,
  rootKey: RootKey,
  keys: readonly StoredDataKey[],
): Promise<number> => {
  let added = 0;
  for (const key of keys) {
    if (key.state !== 'RETIRED') await rootKey.unwrap(key.wrapped, key);
    if (await acts.addDataKey(key)) added += 1;
  }
  return added;
};

const addPersonKeys = async (acts: KeyStoreRestore, keys: readonly StoredPersonKey[]) => {
  // Who was erased by the time of the backup, and lives in an older database that was restored.
  const gone = keys.filter(({ erasedAt }) => erasedAt !== null).map(({ personId }) => personId);
  const alive = keys.filter(({ erasedAt }) => erasedAt === null);
  return { erased: await acts.erase(gone), added: await acts.addPersonKeys(alive) };
};

/**
 * Puts back what the key store lacks. What is there stays: a key that encrypts, and whoever was erased, in the database, in the
 * backup or by the list. It is all or nothing, if `acts` are of one transaction.
 *
 * @param erasedSince persons who were erased after the backup was made; they stay erased
 * @throws {RootKeyError} @throws {SealedRecordsError} when the file is not for this root key, or not whole
 */
export const restoreKeyStore = async (
  acts: KeyStoreRestore,
  rootKey: RootKey,
  lines: AsyncIterable<string>,
  erasedSince: readonly string[],
): Promise<RestoredKeyStore> => {
  let header: SealedHeader | undefined;
  const added = { dataKeys: 0, personKeys: 0 };
  const found = { dataKeys: 0, personKeys: 0 };
  // First, so that whoever is on the list is not added.
  let erased = await acts.erase(erasedSince);
  let promised: KeyStoreCounts | undefined;
  for await (const { isLast, record } of openRecords(rootKey, lines, (read) => (header = read))) {
    if (isLast) {
      promised = countsSchema.parse(record);
      continue;
    }
    const part = recordSchema.parse(record);
    if ('dataKeys' in part) {
      found.dataKeys += part.dataKeys.length;
      added.dataKeys += await addDataKeys(acts, rootKey, part.dataKeys);
    } else {
      found.personKeys += part.personKeys.length;
      const persons = await addPersonKeys(acts, part.personKeys);
      added.personKeys += persons.added;
      erased += persons.erased;
    }
  }
  const isWhole = found.dataKeys === promised?.dataKeys && found.personKeys === promised.personKeys;
  if (header === undefined || !isWhole) throw new SealedRecordsError('altered', 'The file does not hold what it says');
  return { header, added, erased };
};
