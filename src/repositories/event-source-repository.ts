import type { AuditAction, AuditOutcome } from '../contracts/audit';

import type { Database } from './prisma-client';
import { HAS_STRONG_FACTOR, ROLES, type Session, type SessionRow } from './session-row';

/** An event of the audit trail as far as others are told of it. */
export interface SourceEvent {
  /** Without gaps, in the order in which the events were committed. */
  readonly sequence: string;
  readonly action: AuditAction;
  readonly outcome: AuditOutcome;
  readonly occurredAt: Date;
  readonly subjectId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface EndedSession {
  readonly id: string;
  readonly userId: string;
  readonly endedAt: Date;
  /** Of the enum `session_end`. */
  readonly endedBy: string | null;
}

export type AccountRoles = Pick<Session, 'userId' | 'roles' | 'hasStrongFactor'>;

/** Reads the audit trail in the order in which things happened. */
export interface EventSource {
  /** What came after `sequence`, oldest first. */
  after(sequence: string, limit: number): Promise<SourceEvent[]>;
  /** The sequence that everything since `time` comes after. */
  sequenceBefore(time: Date): Promise<string>;
  /** Sessions of these accounts that ended since `time`. */
  sessionsEnded(userIds: readonly string[], time: Date): Promise<EndedSession[]>;
  /** The roles of these accounts, as they are now. */
  rolesOf(userIds: readonly string[]): Promise<AccountRoles[]>;
}

const AFTER = {
  name: 'events/after',
  text: `
    SELECT sequence::text, action, outcome, occurred_at, subject_id, details
    FROM audit_events WHERE sequence > $1::bigint ORDER BY sequence LIMIT $2`,
};
/** The block range index finds the time; where nothing is that young, everything is before it. */
const SEQUENCE_BEFORE = {
  name: 'events/sequence-before',
  text: `
    SELECT coalesce(
      (SELECT min(sequence) - 1 FROM audit_events WHERE occurred_at >= $1),
      (SELECT sequence FROM audit_chain), 0
    )::text AS sequence`,
};
const SESSIONS_ENDED = {
  name: 'events/sessions-ended',
  text: `
    SELECT id, user_id, ended_at, ended_by::text FROM sessions
    WHERE user_id = ANY($1::uuid[]) AND ended_at > $2 ORDER BY id`,
};
const ROLES_OF = {
  name: 'events/roles-of',
  text: `SELECT s.user_id, ${ROLES}, ${HAS_STRONG_FACTOR} FROM unnest($1::uuid[]) AS s (user_id)`,
};

interface SourceRow {
  readonly sequence: string;
  readonly action: AuditAction;
  readonly outcome: AuditOutcome;
  readonly occurred_at: Date;
  readonly subject_id: string | null;
  readonly details: string | null;
}

interface EndedRow {
  readonly id: string;
  readonly user_id: string;
  readonly ended_at: Date;
  readonly ended_by: string | null;
}

export const createEventSource = ({ sql }: Pick<Database, 'sql'>): EventSource => ({
  async after(sequence, limit) {
    const rows = await sql<SourceRow>(AFTER, [sequence, limit]);
    return rows.map(({ occurred_at, subject_id, details, ...row }) => ({
      ...row,
      occurredAt: occurred_at,
      subjectId: subject_id,
      details: details === null ? {} : (JSON.parse(details) as Record<string, unknown>),
    }));
  },

  async sequenceBefore(time) {
    const [row] = await sql<{ sequence: string }>(SEQUENCE_BEFORE, [time]);
    return row?.sequence ?? '0';
  },

  async sessionsEnded(userIds, time) {
    const rows = await sql<EndedRow>(SESSIONS_ENDED, [userIds, time]);
    return rows.map((row) => ({
      id: row.id,
      userId: row.user_id,
      endedAt: row.ended_at,
      endedBy: row.ended_by,
    }));
  },

  async rolesOf(userIds) {
    const rows = await sql<Pick<SessionRow, 'user_id' | 'roles' | 'has_strong_factor'>>(ROLES_OF, [userIds]);
    return rows.map(({ user_id, roles, has_strong_factor }) => ({
      userId: user_id,
      roles,
      hasStrongFactor: has_strong_factor,
    }));
  },
});
