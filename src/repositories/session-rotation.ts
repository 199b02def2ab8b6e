import type { RequestOrigin } from '../contracts/audit';

import type { AuditTrail } from './audit-trail';
import { endReusedSession } from './session-end';
import { isLive, SESSION, type Session, type SessionRow, toSession } from './session-row';
import type { Sql } from './sql';

type Hash = Uint8Array<ArrayBuffer>;

export interface Rotation {
  readonly predecessor: Hash;
  readonly successor: Hash;
  /** The successor expires when it is not used for so long, milliseconds, and with the session in any case. */
  readonly idleExpiresInMs: number;
  /** A predecessor may be shown again for so long after its use, milliseconds. */
  readonly graceMs: number;
  readonly origin: RequestOrigin;
}

export type RotationOutcome =
  | {
      readonly outcome: 'rotated';
      readonly session: Session;
      readonly successorExpiresAt: Date;
      /** Somebody else has used the token: a second factor, which left another successor than a refresh leaves. */
      readonly wasRaised: boolean;
    }
  /** Unknown, expired, or of a session that has ended. */
  | { readonly outcome: 'refused' }
  /** Used before, and not just now: the family has been ended, and the notice is in the outbox. */
  | { readonly outcome: 'reused'; readonly sessionId: string; readonly userId: string };

/**
 * Compare-and-swap in one statement: of all who hold the same token, one marks it used, leaves its successor and is told of
 * the session. The others wait for the lock and then find nothing; whoever logs out meanwhile waits as well.
 */
const ROTATE = {
  name: 'session/rotate',
  text: `
    WITH live AS (
      SELECT ${SESSION}, LEAST($4::timestamptz, s.expires_at) AS successor_expires_at
      FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
      WHERE t.hash = $1 AND t.rotated_at IS NULL AND t.expires_at > $3
        AND s.ended_at IS NULL AND s.expires_at > $3 AND u.status = 'ACTIVE'
      FOR UPDATE OF t, s
    ), used AS (
      UPDATE refresh_tokens SET rotated_at = $3 FROM live WHERE hash = $1
    ), successor AS (
      INSERT INTO refresh_tokens (hash, session_id, replaces, created_at, expires_at)
      SELECT $2::bytea, id, $1, $3, successor_expires_at FROM live
    ), touched AS (
      UPDATE sessions SET last_used_at = $3 FROM live WHERE sessions.id = live.id
    )
    SELECT * FROM live`,
};

const FIND_BY_TOKEN = {
  name: 'session/find-by-token',
  text: `
    SELECT ${SESSION}, t.rotated_at,
      NOT EXISTS (SELECT 1 FROM refresh_tokens n WHERE n.replaces = t.hash AND n.hash = $2) AS was_raised
    FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
    WHERE t.hash = $1`,
};

const earlier = (one: Date, other: Date): Date => (one < other ? one : other);

type UsedRow = SessionRow & { readonly rotated_at: Date | null; readonly was_raised: boolean };

/** A token that could not be used: it was used just now, or long ago, or it is worth nothing. */
const rotateAgain = async (sql: Sql, audit: Pick<AuditTrail, 'seal'>, rotation: Rotation): Promise<RotationOutcome> => {
  const { predecessor, idleExpiresInMs, graceMs, origin } = rotation;
  const now = new Date();
  const [row] = await sql<UsedRow>(FIND_BY_TOKEN, [predecessor, rotation.successor]);
  if (row?.rotated_at == null || !isLive(row, now)) return { outcome: 'refused' };
  if (now.getTime() - row.rotated_at.getTime() > graceMs) {
    await endReusedSession(sql, audit, row, now, origin);
    return { outcome: 'reused', sessionId: row.id, userId: row.user_id };
  }
  const idleExpiry = new Date(row.rotated_at.getTime() + idleExpiresInMs);
  const successorExpiresAt = earlier(idleExpiry, row.expires_at);
  return { outcome: 'rotated', session: toSession(row), successorExpiresAt, wasRaised: row.was_raised };
};

/** Exchanges a refresh token for its successor, exactly once however many ask at the same time. */
export const rotateSession = async (
  sql: Sql,
  audit: Pick<AuditTrail, 'seal'>,
  rotation: Rotation,
): Promise<RotationOutcome> => {
  const now = new Date();
  const idleExpiry = new Date(now.getTime() + rotation.idleExpiresInMs);
  const values = [rotation.predecessor, rotation.successor, now, idleExpiry];
  const [row] = await sql<SessionRow & { successor_expires_at: Date }>(ROTATE, values);
  if (row === undefined) return rotateAgain(sql, audit, rotation);
  const successorExpiresAt = row.successor_expires_at;
  return { outcome: 'rotated', session: toSession(row), successorExpiresAt, wasRaised: false };
};
