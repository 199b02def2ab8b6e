import type { RequestOrigin } from '../contracts/audit';
import type { SessionEnd } from '../generated/prisma/client';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import { insertNotice } from './notice-outbox';
import type { SessionRow } from './session-row';
import type { Sql } from './sql';

const ENDED = `
  ended AS (
    UPDATE sessions SET ended_at = $3, ended_by = $4::session_end
    WHERE id = $1 AND user_id = $2 AND ended_at IS NULL
    RETURNING id
  ), audited AS (${insertAuditEvents('$5', 'ended')})`;
const END = { name: 'session/end', text: `WITH ${ENDED} SELECT id FROM ended` };
const REUSED = insertNotice('session:reuse-detected', { eventId: '$1', userId: '$2', now: '$3' }, 'ended');
const END_REUSED = {
  name: 'session/end-reused',
  text: `WITH ${ENDED}, noticed AS (${REUSED}) SELECT id FROM ended`,
};

/** In one order, and all before the chain of the audit trail is locked: who holds the chain waits for no session. */
const END_ALL = {
  name: 'session/end-all',
  text: `
    WITH live AS (
      SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL ORDER BY id FOR UPDATE
    ), ended AS (
      UPDATE sessions SET ended_at = $2, ended_by = $3::session_end
      FROM live WHERE sessions.id = live.id AND ended_at IS NULL
      RETURNING sessions.id
    ), devices AS (DELETE FROM remembered_devices WHERE user_id = $1), audited AS (${insertAuditEvents('$4', '(SELECT count(*) AS sessions FROM ended) AS counted WHERE sessions > 0')})
    SELECT id FROM ended`,
};

/** Once more, for a device that a login remembered while its session was being ended. */
const FORGET_DEVICES = {
  name: 'session/forget-devices',
  text: 'DELETE FROM remembered_devices WHERE user_id = $1',
};

/** False where there is no such live session of this user. */
export const endSession = async (
  sql: Sql,
  audit: Pick<AuditTrail, 'seal'>,
  sessionId: string,
  userId: string,
  reason: SessionEnd,
  origin: RequestOrigin,
): Promise<boolean> => {
  const actor = { kind: 'user', id: userId } as const;
  const event = await audit.seal({
    ...{ action: 'session.ended', actor, subjectId: userId, origin },
    details: { sessionId, reason },
  });
  return (await sql(END, [sessionId, userId, new Date(), reason, event])).length === 1;
};

/** Somebody has shown a refresh token that was used before: its family ends, and the notice goes into the outbox. */
export const endReusedSession = async (
  sql: Sql,
  audit: Pick<AuditTrail, 'seal'>,
  session: Pick<SessionRow, 'id' | 'user_id'>,
  now: Date,
  origin: RequestOrigin,
): Promise<void> => {
  const event = await audit.seal({
    action: 'refresh_token.reused',
    outcome: 'denied',
    actor: { kind: 'anonymous' },
    subjectId: session.user_id,
    origin,
    details: { sessionId: session.id },
  });
  await sql(END_REUSED, [session.id, session.user_id, now, 'REFRESH_TOKEN_REUSED' satisfies SessionEnd, event]);
};

/** Remembered devices are forgotten with them. @returns how many there were */
export const endAllSessions = async (
  sql: Sql,
  audit: Pick<AuditTrail, 'seal'>,
  userId: string,
  reason: SessionEnd,
  origin: RequestOrigin,
): Promise<number> => {
  const actor = { kind: 'user', id: userId } as const;
  const event = await audit.seal({
    action: 'sessions.ended',
    actor,
    subjectId: userId,
    origin,
    details: { reason },
  });
  const ended = await sql(END_ALL, [userId, new Date(), reason, event]);
  await sql(FORGET_DEVICES, [userId]);
  return ended.length;
};
