import type { AuditSeal } from '../contracts/audit';

import { type AuditCheckpoint, isGenuineCheckpoint, readCheckpoint } from './audit-checkpoint';
import { canonicalContent, CHAIN_START, type ChainedAuditRow, chainHash } from './audit-content';
import type { Database } from './prisma-client';

/** The end of the chain: kept elsewhere, it shows later that nothing up to here was exchanged. */
export interface AuditHead {
  readonly sequence: bigint;
  /** Hexadecimal. */
  readonly hash: string;
}

export type AuditDefect =
  /** A number is not there: an event was removed. */
  | 'missing'
  /** It does not follow the event before it: that one was exchanged, or this one was inserted or moved. */
  | 'not_chained'
  /** What stands in it is not what was chained. */
  | 'changed'
  /** It was not recorded by this service, or its key is not in the ring. */
  | 'not_genuine'
  /** The chain was longer, or ended with another event. */
  | 'wrong_end'
  /** It is not the event that is known to have had this number. */
  | 'not_expected';

export interface AuditVerification {
  readonly valid: boolean;
  /** How many events were checked. */
  readonly checked: number;
  /** The last event that was checked; where the check may go on if it is not `complete`. */
  readonly last: AuditHead;
  /** False where the time was up, or at the first defect. */
  readonly complete: boolean;
  readonly defect?: { readonly kind: AuditDefect; readonly sequence: bigint };
}

export interface VerifyOptions {
  /** Number of an event that is taken for granted; from the beginning by default: the first event, or the checkpoint. */
  readonly after?: bigint;
  /** Stops after so long, milliseconds; never by default. */
  readonly budgetMs?: number;
  /** An end that an earlier verification told. */
  readonly expected?: AuditHead;
}

export type AuditVerifier = (options?: VerifyOptions) => Promise<AuditVerification>;

/** Rows at a time: some 500 KiB, and a few milliseconds of hashing. */
const BATCH = 1_000;

const READ = {
  name: 'audit/verify',
  text: `
    SELECT sequence, id, occurred_at, action, outcome, actor_kind, actor_id, subject_id, request_id, workflow_id,
      origin_ciphertext, details, seal, previous_hash, hash
    FROM audit_events WHERE sequence > $1::bigint ORDER BY sequence LIMIT $2`,
};
const READ_HASH = { name: 'audit/hash', text: 'SELECT hash FROM audit_events WHERE sequence = $1::bigint' };
const READ_HEAD = { name: 'audit/head', text: 'SELECT sequence, hash FROM audit_chain WHERE id = 1' };

type Defect = NonNullable<AuditVerification['defect']>;

/** What is wrong with a row, given the hash of the one before. */
const defectOf = async (
  row: ChainedAuditRow,
  sequence: bigint,
  previousHash: Buffer,
  seal: AuditSeal,
): Promise<Defect | undefined> => {
  if (BigInt(row.sequence) !== sequence) return { kind: 'missing', sequence };
  if (!row.previous_hash.equals(previousHash)) return { kind: 'not_chained', sequence };
  const content = canonicalContent(row);
  if (!chainHash(previousHash, sequence, row.seal, content).equals(row.hash)) return { kind: 'changed', sequence };
  return (await seal.isGenuine(row.seal, content)) ? undefined : { kind: 'not_genuine', sequence };
};

const isOther = (expected: AuditHead | undefined, sequence: bigint, hash: Buffer): boolean =>
  expected?.sequence === sequence && expected.hash !== hash.toString('hex');

/** What is wrong with the place where the trail begins. */
const checkpointDefect = async (
  checkpoint: AuditCheckpoint,
  seal: AuditSeal,
  expected: AuditHead | undefined,
): Promise<Defect | undefined> => {
  const { sequence, hash } = checkpoint;
  if (!(await isGenuineCheckpoint(seal, checkpoint))) return { kind: 'not_genuine', sequence };
  if (expected !== undefined && expected.sequence < sequence) return { kind: 'missing', sequence: expected.sequence };
  return isOther(expected, sequence, hash) ? { kind: 'not_expected', sequence } : undefined;
};

/**
 * Goes over the whole trail in batches while it grows, and tells the first thing that is wrong with it. What was dropped when its
 * time was over is vouched for by the sealed checkpoint; an end that was known from before it can no longer be compared.
 */
export const createAuditVerifier =
  ({ sql }: Pick<Database, 'sql'>, seal: AuditSeal): AuditVerifier =>
  async ({ after = 0n, budgetMs = Number.POSITIVE_INFINITY, expected } = {}) => {
    const deadline = Date.now() + budgetMs;
    let [sequence, hash, checked]: [bigint, Buffer, number] = [after, CHAIN_START, 0];

    const result = (complete: boolean, defect?: Defect): AuditVerification => ({
      valid: defect === undefined,
      checked,
      last: { sequence, hash: hash.toString('hex') },
      complete,
      ...(defect !== undefined && { defect }),
    });

    /** @returns whether there was anything; a defect ends the check */
    const checkBatch = async (): Promise<Defect | boolean> => {
      const rows = await sql<ChainedAuditRow>(READ, [String(sequence), BATCH]);
      for (const row of rows) {
        const defect = await defectOf(row, sequence + 1n, hash, seal);
        if (defect !== undefined) return defect;
        [sequence, hash, checked] = [sequence + 1n, row.hash, checked + 1];
        if (isOther(expected, sequence, hash)) return { kind: 'not_expected', sequence };
      }
      return rows.length > 0;
    };

    /** Whether the chain ends with the row that was checked last; what was appended since is checked first. */
    const checkEnd = async (): Promise<Defect | 'more' | undefined> => {
      const [head] = await sql<{ sequence: string; hash: Buffer }>(READ_HEAD, []);
      if (head !== undefined && BigInt(head.sequence) > sequence) {
        const found = await checkBatch();
        if (found === true) return 'more';
        return found === false ? { kind: 'wrong_end', sequence: sequence + 1n } : found;
      }
      const isEnd = head !== undefined && BigInt(head.sequence) === sequence && head.hash.equals(hash);
      if (!isEnd) return { kind: 'wrong_end', sequence };
      return expected !== undefined && expected.sequence > sequence
        ? { kind: 'missing', sequence: expected.sequence }
        : undefined;
    };

    /** Goes to the checkpoint if that is at `from` or later. @returns whether it went, or what is wrong with it */
    const skipPruned = async (from: bigint): Promise<Defect | boolean> => {
      const checkpoint = await readCheckpoint(sql);
      if (checkpoint === undefined || checkpoint.sequence < from) return false;
      [sequence, hash] = [checkpoint.sequence, checkpoint.hash];
      return (await checkpointDefect(checkpoint, seal, expected)) ?? true;
    };

    /** Finds what comes before the first event that is checked. */
    const begin = async (): Promise<Defect | undefined> => {
      const skipped = await skipPruned(sequence);
      if (typeof skipped === 'object') return skipped;
      if (skipped || after === 0n) return undefined;
      const [row] = await sql<{ hash: Buffer }>(READ_HASH, [String(after)]);
      if (row === undefined) return { kind: 'missing', sequence: after };
      hash = row.hash;
      return undefined;
    };

    const wrongBeginning = await begin();
    if (wrongBeginning !== undefined) return result(false, wrongBeginning);
    for (;;) {
      const found = await checkBatch();
      if (typeof found === 'object') {
        // Perhaps it was dropped while this looks.
        const skipped = found.kind === 'missing' && (await skipPruned(sequence + 1n));
        if (skipped !== true) return result(false, typeof skipped === 'object' ? skipped : found);
        continue;
      }
      if (!found) {
        const end = await checkEnd();
        if (end !== 'more') return result(end === undefined, end);
      }
      if (Date.now() > deadline) return result(false);
    }
  };
