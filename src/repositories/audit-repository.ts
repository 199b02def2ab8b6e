import type { AuditQuery, StoredAuditEvent } from '../contracts/admin';
import type { AuditOutcome } from '../contracts/audit';
import { type FieldCipher, FieldCipherError } from '../contracts/data-protection';

import type { ChainedAuditRow } from './audit-content';
import { openNote } from './audit-notes';
import { originLocation, type StoredOrigin } from './audit-trail';
import { type Filter, newestOf } from './filtered';
import type { Database } from './prisma-client';

export interface AuditRepository {
  /** Events, the newest first. */
  list(filter: Omit<AuditQuery, 'cursor'>, before: string | undefined): Promise<StoredAuditEvent[]>;
}

/** As `withCallingService` has made them. */
type Details = Readonly<Record<string, unknown>> & { readonly callingService?: string };

const LIST = {
  select: `
    SELECT sequence, id, occurred_at, action, outcome, actor_kind, actor_id, subject_id, request_id, workflow_id,
      origin_ciphertext, details
    FROM audit_events`,
  key: 'sequence',
};

export const createAuditRepository = (
  { sql }: Pick<Database, 'sql'>,
  cipher: Pick<FieldCipher, 'decrypt'>,
): AuditRepository => {
  /** Undefined where none is recorded, and for somebody who was erased. */
  const originOf = async (row: ChainedAuditRow): Promise<StoredOrigin | undefined> => {
    if (row.origin_ciphertext === null) return undefined;
    try {
      return JSON.parse(await cipher.decrypt(row.origin_ciphertext, originLocation(row))) as StoredOrigin;
    } catch (error) {
      if (error instanceof FieldCipherError && error.reason === 'erased') return undefined;
      throw error;
    }
  };

  const toEvent = async (row: ChainedAuditRow): Promise<StoredAuditEvent> => {
    const origin = await originOf(row);
    const { callingService = null, ...details } = JSON.parse(row.details ?? '{}') as Details;
    return {
      sequence: row.sequence,
      id: row.id,
      occurredAt: row.occurred_at.toISOString(),
      action: row.action,
      outcome: row.outcome as AuditOutcome,
      actor: { kind: row.actor_kind as StoredAuditEvent['actor']['kind'], id: row.actor_id },
      subjectId: row.subject_id,
      requestId: row.request_id,
      workflowId: row.workflow_id,
      ip: origin?.ip ?? null,
      userAgent: origin?.userAgent ?? null,
      callingService,
      details: Object.keys(details).length === 0 ? null : await openNote(cipher, details, row),
    };
  };

  return {
    async list({ actorId, subjectId, action, from, to, limit }, before) {
      const filters: Filter[] = [
        ['before', (at) => `sequence < ${at}::bigint`, before],
        ['actor', (at) => `actor_id = ${at}::uuid`, actorId],
        ['subject', (at) => `subject_id = ${at}::uuid`, subjectId],
        ['action', (at) => `action = ${at}`, action],
        ['from', (at) => `occurred_at >= ${at}::timestamptz`, from],
        ['to', (at) => `occurred_at < ${at}::timestamptz`, to],
      ];
      const { statement, values } = newestOf('audit/list', LIST, filters, limit);
      return Promise.all((await sql<ChainedAuditRow>(statement, values)).map(toEvent));
    },
  };
};
