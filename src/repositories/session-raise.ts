import type { RequestOrigin } from '../contracts/audit';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import { SESSION, type Session, type SessionRow, toSession } from './session-row';
import type { Sql } from './sql';

type Hash = Uint8Array<ArrayBuffer>;

/** A second factor was shown in a session. */
export interface Raise {
  readonly sessionId: string;
  readonly userId: string;
  readonly amr: readonly string[];
  /** Whether it was a strong one; what was shown before still counts. */
  readonly isStrong?: boolean | undefined;
  /** What is stored of the refresh token that comes after the one that is stored so. */
  readonly successorOf: (predecessor: Hash) => Hash;
  readonly idleExpiresInMs: number;
  readonly origin: RequestOrigin;
}
export interface RaisedSession {
  readonly session: Session;
  /** The refresh token that was used up. */
  readonly predecessor: Hash;
  readonly refreshTokenExpiresAt: Date;
}

const FIND_LIVE_TOKEN = {
  name: 'session/find-live-token',
  text: `SELECT hash FROM refresh_tokens WHERE session_id = $1 AND rotated_at IS NULL AND expires_at > $2`,
};
/** Like a rotation, so that the family stays one chain: whoever shows the older token later is told of a theft. */
const RAISE = {
  name: 'session/raise',
  text: `
    WITH live AS (
      SELECT ${SESSION}, LEAST($6::timestamptz, s.expires_at) AS refresh_expires_at
      FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
      WHERE t.hash = $7 AND t.rotated_at IS NULL AND t.session_id = $1 AND s.user_id = $2
        AND s.ended_at IS NULL AND s.expires_at > $3 AND u.status = 'ACTIVE'
      FOR UPDATE OF t, s
    ), raised AS (
      UPDATE sessions SET acr = 'aal2', amr = $4::text[], auth_time = $3, last_used_at = $3, strong = sessions.strong OR $9::boolean
      FROM live
      WHERE sessions.id = live.id
    ), used AS (
      UPDATE refresh_tokens SET rotated_at = $3 FROM live WHERE hash = $7
    ), token AS (
      INSERT INTO refresh_tokens (hash, session_id, replaces, created_at, expires_at)
      SELECT $5::bytea, id, $7, $3, refresh_expires_at FROM live
    ), audited AS (${insertAuditEvents('$8', 'live')})
    SELECT * FROM live`,
};
/** A refresh may use the token up between the look at it and the exchange. */
const RAISE_TRIES = 5;

/** Makes a live session `aal2`, as of now, and exchanges its refresh token for the next. Undefined where it does not live. */
export const raiseSession = async (
  sql: Sql,
  audit: Pick<AuditTrail, 'seal'>,
  { sessionId, userId, amr, isStrong = false, successorOf, idleExpiresInMs, origin }: Raise,
): Promise<RaisedSession | undefined> => {
  const actor = { kind: 'user', id: userId } as const;
  for (let tries = 0; tries < RAISE_TRIES; tries += 1) {
    const now = new Date();
    const [live] = await sql<{ hash: Buffer }>(FIND_LIVE_TOKEN, [sessionId, now]);
    if (live === undefined) return undefined;
    const predecessor = Uint8Array.from(live.hash);
    const event = await audit.seal({
      ...{ action: 'session.stepped_up', actor, subjectId: userId, origin },
      details: { sessionId, amr },
    });
    const idleExpiry = new Date(now.getTime() + idleExpiresInMs);
    const values = [sessionId, userId, now, amr, successorOf(predecessor), idleExpiry, predecessor, event, isStrong];
    const [row] = await sql<SessionRow & { refresh_expires_at: Date }>(RAISE, values);
    if (row === undefined) continue;
    const session = { ...toSession(row), isStrong: row.strong || isStrong, acr: 'aal2', amr, authTime: now };
    return { session, predecessor, refreshTokenExpiresAt: row.refresh_expires_at };
  }
  return undefined;
};
