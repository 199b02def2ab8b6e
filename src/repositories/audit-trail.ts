import { v7 as uuidv7 } from 'uuid';

import type { AuditDetails, AuditSeal, NewAuditEvent, RequestOrigin } from '../contracts/audit';
import { type FieldCipher, FieldCipherError, type FieldLocation } from '../contracts/data-protection';

import { type AuditRow, canonicalContent } from './audit-content';
import { sealNote } from './audit-notes';
import { RECORDING, type Sql } from './sql';

/** Longer ones are made up; the column must not become a place to fill the disk through. */
const MAX_USER_AGENT_LENGTH = 512;

/**
 * Whom an origin is about: who acted, or where nobody has proven who they are, the account that it was done to; nobody where
 * that is not known either.
 */
export const originLocation = (event: {
  readonly id: string;
  readonly actor_id: string | null;
  readonly subject_id: string | null;
}): FieldLocation => ({
  table: 'audit_events',
  column: 'origin_ciphertext',
  rowId: event.id,
  personId: event.actor_id ?? event.subject_id ?? undefined,
});

/** Where a request came from, as it stands encrypted in an event. */
export interface StoredOrigin {
  readonly ip: string;
  readonly userAgent: string | null;
}

export const storedOrigin = ({ ip, userAgent }: RequestOrigin): StoredOrigin => ({
  ip,
  userAgent: userAgent?.slice(0, MAX_USER_AGENT_LENGTH).toWellFormed() ?? null,
});

/**
 * The service that called stands among the details: sealed and chained as they are, and kept when the person is erased, whose
 * key the rest of the origin is encrypted under.
 */
export const withCallingService = (
  details: AuditDetails | undefined,
  callingService: string | undefined,
): AuditDetails | undefined => (callingService === undefined ? details : { ...details, callingService });

/** Sealed events, ready to be stored by `insertAuditEvents`; JSON. */
export type SealedEvents = string;

export interface AuditTrail {
  /**
   * Seals events for a statement that does what they record and holds `insertAuditEvents`: no round trip of their own.
   */
  seal(...events: NewAuditEvent[]): Promise<SealedEvents>;
  /**
   * Records events in the transaction of `sql`, as the last thing before its end: from here on every other event waits for
   * it, which is what keeps the chain one chain.
   */
  append(sql: Sql, ...events: NewAuditEvent[]): Promise<void>;
}

/**
 * An INSERT for a statement of the hot paths, such as `audited AS (${insertAuditEvents('$3', 'FROM ended')})`.
 *
 * @param parameter placeholder of the sealed events, such as `$3`
 * @param onlyIf a one-row relation without which nothing is recorded, such as the act's own CTE
 */
export const insertAuditEvents = (parameter: string, onlyIf?: string): string => `
  ${RECORDING} (id, occurred_at, action, outcome, actor_kind, actor_id, subject_id, request_id, workflow_id,
    origin_ciphertext, details, seal)
  SELECT event.id, event.occurred_at, event.action, event.outcome, event.actor_kind, event.actor_id, event.subject_id,
    event.request_id, event.workflow_id, event.origin_ciphertext, event.details, event.seal
  FROM json_populate_recordset(NULL::audit_events, ${parameter}::json) AS event
  ${onlyIf === undefined ? '' : `WHERE EXISTS (SELECT 1 FROM ${onlyIf})`}`;

const APPEND = { name: 'audit/append', text: insertAuditEvents('$1') };

export const createAuditTrail = (cipher: Pick<FieldCipher, 'encrypt'>, seal: Pick<AuditSeal, 'seal'>): AuditTrail => {
  /** Null for somebody who was erased: what they did is recorded, not from where. */
  const encryptOrigin = async (origin: RequestOrigin | undefined, location: FieldLocation): Promise<string | null> => {
    if (origin === undefined) return null;
    try {
      return await cipher.encrypt(JSON.stringify(storedOrigin(origin)), location);
    } catch (error) {
      if (error instanceof FieldCipherError && error.reason === 'erased') return null;
      throw error;
    }
  };

  const toRow = async (event: NewAuditEvent): Promise<AuditRow> => {
    const { action, outcome = 'success', actor, subjectId, origin, workflowId } = event;
    const details = withCallingService(event.details, origin?.callingService);
    const about = {
      id: uuidv7(),
      actor_id: actor.kind === 'user' ? actor.id : null,
      subject_id: subjectId ?? null,
    };
    const row = {
      ...about,
      occurred_at: new Date(),
      action,
      outcome,
      actor_kind: actor.kind,
      request_id: origin?.requestId ?? null,
      workflow_id: workflowId ?? null,
      origin_ciphertext: await encryptOrigin(origin, originLocation(about)),
      details: details === undefined ? null : JSON.stringify(await sealNote(cipher, details, { ...about, action })),
    };
    return { ...row, seal: await seal.seal(canonicalContent(row)) };
  };

  const sealAll = async (...events: NewAuditEvent[]): Promise<SealedEvents> =>
    JSON.stringify(await Promise.all(events.map(toRow)));
  return {
    seal: sealAll,
    append: async (sql, ...events) => {
      await sql(APPEND, [await sealAll(...events)]);
    },
  };
};
