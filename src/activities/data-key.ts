import { activityInfo, heartbeat, sleep } from '@temporalio/activity';

import type { KeysConfig } from '../config/keys.config';
import type { ReencryptionProgress, RetiringKey } from '../contracts/data-key-workflow';
import { type FieldCipher, FieldCipherError } from '../contracts/data-protection';
import { DATA_KEY_PURPOSES, type DataKeyPurpose } from '../contracts/keys';
import type { DataKeyRing } from '../keys/data-keys';
import type { DataKeyRow, DataKeyStates, RetiringKeyRow } from '../repositories/data-key-repository';
import type { EncryptedColumn, locationOf } from '../repositories/encrypted-columns';
import type { OldValue, ReencryptionRepository } from '../repositories/reencryption-repository';

/** Rows of a batch: some milliseconds of work, during which whoever wants to change one of them may wait. */
const BATCH = 200;
/** At least as long as the batch took, so that requests have their share of the machine. */
const MAX_PAUSE_MS = 1_000;
/** A row that somebody held is looked at again in so many passes. */
const MAX_PASSES = 100;

const NEW_PASS = { refused: 0, missed: 0 };
const START: ReencryptionProgress = { column: 0, after: null, changed: 0, refused: 0, pass: NEW_PASS };

interface Dependencies {
  readonly states: DataKeyStates;
  readonly dataKeys: DataKeyRing;
  readonly make: (purpose: DataKeyPurpose) => Promise<DataKeyRow>;
  readonly columns: readonly EncryptedColumn[];
  readonly locate: typeof locationOf;
  readonly values: ReencryptionRepository;
  /** By the purposes of columns. */
  readonly ciphers: Readonly<Record<EncryptedColumn['purpose'], FieldCipher>>;
  readonly times: Pick<KeysConfig, 'rotationIntervalMs' | 'propagationMs'>;
  /** Executions that began before a time and are still kept; or only those that still run beside one. */
  readonly countWorkflows: (before: Date, only?: { readonly runningBeside: string }) => Promise<number>;
  readonly renewSchedules: () => Promise<void>;
}

/** The steps of a rotation of data keys. Each may run twice without harm; no key leaves the process in the clear. */
export const createDataKeyActivities = (deps: Dependencies) => {
  const { states, dataKeys, columns, values, ciphers, times } = deps;

  /** The value under the active key; undefined where it cannot be read. */
  const reencrypt = async (column: EncryptedColumn, old: OldValue): Promise<string | undefined> => {
    const [cipher, location] = [ciphers[column.purpose], deps.locate(column, old)];
    try {
      return await cipher.encrypt(await cipher.decrypt(old.value, location), location);
    } catch (error) {
      if (error instanceof FieldCipherError) return undefined;
      throw error;
    }
  };

  const reencryptBatch = async (column: EncryptedColumn, batch: readonly OldValue[]) => {
    const replaced = await Promise.all(
      batch.map(async (old) => ({ ...old, replacement: await reencrypt(column, old) })),
    );
    const readable = replaced.flatMap(({ replacement, ...old }) =>
      replacement === undefined ? [] : [{ ...old, replacement }],
    );
    const changed = await values.replace(column, readable);
    return { changed, refused: batch.length - readable.length, missed: readable.length - changed };
  };

  /** One pass over a column. @returns where it stands at its end */
  const passOver = async (column: EncryptedColumn, from: ReencryptionProgress): Promise<ReencryptionProgress> => {
    let at = from;
    for (;;) {
      const begun = Date.now();
      const { id } = await dataKeys.active(column.purpose);
      const batch = await values.read(column, id, at.after, BATCH);
      const last = batch.at(-1);
      if (last === undefined) return at;
      const { changed, refused, missed } = await reencryptBatch(column, batch);
      const pass = { refused: at.pass.refused + refused, missed: at.pass.missed + missed };
      at = { ...at, after: last.key, changed: at.changed + changed, pass };
      heartbeat(at);
      await sleep(Math.min(MAX_PAUSE_MS, Date.now() - begun));
    }
  };

  /** Cipher texts of fields cross workflows; all that Temporal keeps is one under the key of the codec, this very run too. */
  const workflowsUsing = (purpose: DataKeyPurpose, writtenUntil: Date): Promise<number> => {
    if (purpose === 'codec') return deps.countWorkflows(writtenUntil);
    if (purpose !== 'fields') return Promise.resolve(0);
    return deps.countWorkflows(writtenUntil, { runningBeside: activityInfo().workflowExecution?.runId ?? '' });
  };

  /** What still has to be there for a key to be put away; undefined when nothing has. */
  const useOf = async ({ id, purpose, retiringAt }: RetiringKeyRow): Promise<string | undefined> => {
    if (purpose === 'audit') return 'events that it sealed are kept';
    const writtenUntil = new Date(retiringAt.getTime() + times.propagationMs);
    if (writtenUntil > new Date()) return 'not every process knows its successor yet';
    const counts = await Promise.all(
      columns.filter((column) => column.purpose === purpose).map((column) => values.count(column, [id])),
    );
    const left = counts.reduce((sum, count) => sum + count, 0);
    if (left > 0) return `${String(left)} stored values are under it`;
    const workflows = await workflowsUsing(purpose, writtenUntil);
    return workflows > 0 ? `${String(workflows)} workflows that began before are not over, or still kept` : undefined;
  };

  return {
    /**
     * @param madeBefore Unix milliseconds: keys made before then are replaced; by default those whose time is up
     * @returns the new keys, and how long until every process has them, milliseconds
     */
    async activateDataKeys({ madeBefore }: { madeBefore?: number | undefined }) {
      const due = new Date(madeBefore ?? Date.now() - times.rotationIntervalMs);
      const activated: string[] = [];
      for (const purpose of DATA_KEY_PURPOSES) {
        const since = await states.activeSince(purpose);
        if (since === undefined || since >= due) continue;
        const key = await deps.make(purpose);
        if (await states.activate(key, due)) activated.push(key.id);
      }
      const newest = Math.max(0, ...(await states.retiring()).map(({ retiringAt }) => retiringAt.getTime()));
      return { activated, propagateForMs: Math.max(0, newest + times.propagationMs - Date.now()) };
    },

    /** Goes over every column until nothing but what cannot be read is under an older key. */
    async reencryptValues(): Promise<Pick<ReencryptionProgress, 'changed' | 'refused'>> {
      // The keys of before would be taken for the active ones, and the new values for old.
      await dataKeys.check();
      let at = (activityInfo().heartbeatDetails as ReencryptionProgress | undefined) ?? START;
      for (const column of columns.slice(at.column)) {
        at = await passOver(column, at);
        for (let passes = 1; at.pass.missed > 0 && passes < MAX_PASSES; passes += 1)
          at = await passOver(column, { ...at, after: null, pass: NEW_PASS });
        at = { ...at, column: at.column + 1, after: null, refused: at.refused + at.pass.refused, pass: NEW_PASS };
      }
      return { changed: at.changed, refused: at.refused };
    },

    renewSchedules: () => deps.renewSchedules(),

    /** @returns the keys that were put away, and those that are still needed */
    async retireDataKeys() {
      const retired: string[] = [];
      const retiring: RetiringKey[] = [];
      for (const key of await states.retiring()) {
        const reason = await useOf(key);
        if (reason === undefined) {
          await states.retire(key);
          retired.push(key.id);
        } else retiring.push({ id: key.id, purpose: key.purpose, reason });
      }
      return { retired, retiring };
    },
  };
};
export type DataKeyActivities = ReturnType<typeof createDataKeyActivities>;
