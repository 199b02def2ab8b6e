import type { AuditSeal } from '../contracts/audit';

import { sealCheckpoint } from './audit-checkpoint';
import type { AuditTrail } from './audit-trail';
import type { Database } from './prisma-client';

interface Dependencies {
  readonly database: Pick<Database, 'transact'>;
  readonly audit: Pick<AuditTrail, 'append'>;
  readonly auditSeal: AuditSeal;
}

interface OldRow {
  readonly sequence: string;
  readonly hash: Buffer;
  readonly is_over: boolean;
}

/** One prune at a time; any number that no other advisory lock of this database uses. */
const LOCK = { name: 'audit/lock-pruning', text: 'SELECT pg_advisory_xact_lock(7303016)' };
/** From the beginning, and one more than may go, since the last event of the trail stays. */
const READ_OLDEST = {
  name: 'audit/read-oldest',
  text: `SELECT sequence, hash, occurred_at < $1 AS is_over FROM audit_events ORDER BY sequence LIMIT $2`,
};
const PRUNE = { name: 'audit/prune', text: 'SELECT prune_audit_events($1::bigint, $2) AS pruned' };

/**
 * Drops the beginning of the trail up to the first event that is not older than `before`, at most `limit` events, and puts a sealed
 * checkpoint in its place, so that what is left is still one chain whose beginning is known. That it was dropped is recorded.
 *
 * @returns how many events are gone
 */
export type PruneAudit = (before: Date, limit: number) => Promise<number>;

export const createPruneAudit =
  ({ database, audit, auditSeal }: Dependencies): PruneAudit =>
  (before, limit) =>
    database.transact(async (sql) => {
      await sql(LOCK, []);
      const rows = await sql<OldRow>(READ_OLDEST, [before, limit + 1]);
      const firstKept = rows.findIndex(({ is_over }) => !is_over);
      const over = rows.slice(0, firstKept === -1 ? rows.length - 1 : firstKept);
      const [first, last] = [over[0], over.at(-1)];
      if (first === undefined || last === undefined) return 0;
      const checkpoint = { sequence: BigInt(last.sequence), hash: last.hash };
      const [result] = await sql<{ pruned: string }>(PRUNE, [
        last.sequence,
        await sealCheckpoint(auditSeal, checkpoint),
      ]);
      const events = Number(result?.pruned ?? 0);
      await audit.append(sql, {
        action: 'audit.pruned',
        actor: { kind: 'service' },
        details: { from: first.sequence, to: last.sequence, hash: last.hash.toString('hex'), events },
      });
      return events;
    });
