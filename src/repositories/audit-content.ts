import { createHash } from 'node:crypto';

/** An event as its row holds it, without what the chain adds. */
export interface AuditRow {
  readonly id: string;
  readonly occurred_at: Date;
  readonly action: string;
  readonly outcome: string;
  readonly actor_kind: string;
  readonly actor_id: string | null;
  readonly subject_id: string | null;
  readonly request_id: string | null;
  readonly workflow_id: string | null;
  readonly origin_ciphertext: string | null;
  /** JSON. */
  readonly details: string | null;
  readonly seal: string;
}

export interface ChainedAuditRow extends AuditRow {
  /** A 64-bit number, which the driver gives as text. */
  readonly sequence: string;
  readonly previous_hash: Buffer;
  readonly hash: Buffer;
}

/** What the first event follows. */
export const CHAIN_START = Buffer.alloc(32);

/**
 * The canonical text of an event: each field as `<bytes>:<text>,` and `-,` for none, so that no two events share one. The
 * function `chain_audit_event` of the migration writes the same.
 */
export const canonicalContent = (row: Omit<AuditRow, 'seal'>): string =>
  [
    row.id,
    String(row.occurred_at.getTime()),
    row.action,
    row.outcome,
    row.actor_kind,
    row.actor_id,
    row.subject_id,
    row.request_id,
    row.workflow_id,
    row.origin_ciphertext,
    row.details,
  ]
    .map((field) => (field === null ? '-,' : `${String(Buffer.byteLength(field, 'utf8'))}:${field},`))
    .join('');

/** SHA-256 over the hash of the event before, the event's number, its seal and its content. */
export const chainHash = (previousHash: Buffer, sequence: bigint, seal: string, content: string): Buffer => {
  const number = Buffer.alloc(8);
  number.writeBigInt64BE(sequence);
  return createHash('sha256').update(previousHash).update(number).update(seal, 'utf8').update(content, 'utf8').digest();
};
