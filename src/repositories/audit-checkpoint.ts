import type { AuditSeal } from '../contracts/audit';

import type { Sql } from './sql';

/** Where the trail begins, after what was dropped when its time was over. */
export interface AuditCheckpoint {
  readonly sequence: bigint;
  readonly hash: Buffer;
  readonly seal: string;
}

const READ = { name: 'audit/checkpoint', text: 'SELECT sequence, hash, seal FROM audit_checkpoint WHERE id = 1' };

export const readCheckpoint = async (sql: Sql): Promise<AuditCheckpoint | undefined> => {
  const [row] = await sql<{ sequence: string; hash: Buffer; seal: string }>(READ, []);
  return row && { ...row, sequence: BigInt(row.sequence) };
};

/** The canonical text of a checkpoint; no event has it, since those begin with a length. */
const content = ({ sequence, hash }: Pick<AuditCheckpoint, 'sequence' | 'hash'>): string =>
  `audit-checkpoint:${String(sequence)}:${hash.toString('hex')}`;

export const sealCheckpoint = (seal: AuditSeal, at: Pick<AuditCheckpoint, 'sequence' | 'hash'>): Promise<string> =>
  seal.seal(content(at));

/** Whether this service has dropped what stood before it: who has the database alone cannot make one up. */
export const isGenuineCheckpoint = (seal: AuditSeal, checkpoint: AuditCheckpoint): Promise<boolean> =>
  seal.isGenuine(checkpoint.seal, content(checkpoint));
