import { v7 as uuidv7 } from 'uuid';

import type { RequestOrigin } from '../contracts/audit';
import type { SessionEnd } from '../generated/prisma/client';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import { createBatch } from './batch';
import { insertNotice } from './notice-outbox';
import type { Database } from './prisma-client';
import type { Device, ProtectDevice } from './protected-device';
import { type Raise, type RaisedSession, raiseSession } from './session-raise';
import { HAS_STRONG_FACTOR, isLive, ROLES, SESSION, type Session, type SessionRow, toSession } from './session-row';
import type { Sql } from './sql';

type Hash = Uint8Array<ArrayBuffer>;

export interface NewSession {
  readonly userId: string;
  readonly acr: string;
  readonly amr: readonly string[];
  /** Whether a strong second factor was shown; else not. */
  readonly isStrong?: boolean | undefined;
  readonly expiresAt: Date;
  readonly refreshTokenHash: Hash;
  readonly refreshTokenExpiresAt: Date;
  readonly device: Device;
  /** Opened by the password that was set at this instant, and only if it is still in force. */
  readonly passwordChangedAt?: Date | undefined;
  readonly origin: RequestOrigin;
}

export interface OpenedSession {
  readonly session: Session;
  /** Whether the account has been used before, and never from this device; then the notice is in the outbox. */
  readonly isNewDevice: boolean;
  /** Sessions of the account that lived when this one was opened, but for those that were being opened at the same time. */
  readonly othersAlive: number;
}

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

export interface SessionRepository {
  /** Undefined where the account may not be used (any more), or by another password. */
  create(session: NewSession): Promise<OpenedSession | undefined>;
  /** Exchanges a refresh token for its successor, exactly once however many ask at the same time. */
  rotate(rotation: Rotation): Promise<RotationOutcome>;
  /** Makes a live session `aal2`, as of now, and exchanges its refresh token for the next. Undefined where it does not live. */
  raise(raise: Raise): Promise<RaisedSession | undefined>;
  /** False where there is no such live session of this user. */
  end(sessionId: string, userId: string, reason: SessionEnd, origin: RequestOrigin): Promise<boolean>;
  /** Remembered devices are forgotten with them. */
  endAll(userId: string, reason: SessionEnd, origin: RequestOrigin): Promise<number>;
  /** The session if it lives and its account may use it. */
  findLive(sessionId: string): Promise<Session | undefined>;
}

const AT_LOGIN = { eventId: '$1', userId: '$2', now: '$5' };
const NEW_DEVICE = insertNotice('session:new-device', AT_LOGIN, 'seen WHERE is_new_device');

/**
 * All that a login does, in one round trip. The account's rows are locked before the chain of the audit trail, so that nobody
 * who holds the one waits for the other.
 */
const createFor = (name: string, account: string) => ({
  name,
  text: `
    WITH account AS (${account}), s AS (
      INSERT INTO sessions (id, user_id, acr, amr, auth_time, created_at, last_used_at, expires_at, device_index,
        device_ciphertext, strong)
      SELECT $1::uuid, id, $3, $4::text[], $5::timestamptz, $5, $5, $6::timestamptz, $10::bytea, $11, $12::boolean FROM account
      RETURNING id, user_id
    ), token AS (
      INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) SELECT $7::bytea, id, $5, $8::timestamptz FROM s
    ), seen AS (
      SELECT EXISTS (SELECT 1 FROM sessions WHERE user_id = $2 AND device_index IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM sessions WHERE user_id = $2 AND device_index = $10) AS is_new_device
      FROM s
    ), audited AS (${insertAuditEvents('$9', 's')}), noticed AS (${NEW_DEVICE})
    SELECT ${ROLES}, ${HAS_STRONG_FACTOR},
      (SELECT count(*)::int FROM sessions WHERE user_id = $2 AND ended_at IS NULL AND expires_at > $5) AS others_alive,
      is_new_device
    FROM s, seen`,
});
const CREATE = createFor('session/create', `SELECT id FROM users WHERE id = $2 AND status = 'ACTIVE' FOR KEY SHARE`);
/** Waits for whoever is changing the password, and then finds the new one; whoever comes to change it waits for this session. */
const CREATE_BY_PASSWORD = createFor(
  'session/create-by-password',
  `SELECT u.id FROM users u JOIN password_credentials p ON p.user_id = u.id
   WHERE u.id = $2 AND u.status = 'ACTIVE' AND p.changed_at = $13 FOR KEY SHARE OF u FOR SHARE OF p`,
);

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

const FIND = {
  name: 'session/find',
  text: `SELECT ${SESSION} FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ANY($1::uuid[])`,
};

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

type CreatedRow = Pick<SessionRow, 'roles' | 'has_strong_factor'> & {
  readonly is_new_device: boolean;
  readonly others_alive: number;
};

const earlier = (one: Date, other: Date): Date => (one < other ? one : other);

type UsedRow = SessionRow & { readonly rotated_at: Date | null; readonly was_raised: boolean };

/** A token that could not be used: it was used just now, or long ago, or it is worth nothing. */
const rotateAgain = async (sql: Sql, audit: AuditTrail, rotation: Rotation): Promise<RotationOutcome> => {
  const { predecessor, idleExpiresInMs, graceMs, origin } = rotation;
  const now = new Date();
  const [row] = await sql<UsedRow>(FIND_BY_TOKEN, [predecessor, rotation.successor]);
  if (row?.rotated_at == null || !isLive(row, now)) return { outcome: 'refused' };
  if (now.getTime() - row.rotated_at.getTime() > graceMs) {
    const event = await audit.seal({
      action: 'refresh_token.reused',
      outcome: 'denied',
      actor: { kind: 'anonymous' },
      subjectId: row.user_id,
      origin,
      details: { sessionId: row.id },
    });
    await sql(END_REUSED, [row.id, row.user_id, now, 'REFRESH_TOKEN_REUSED' satisfies SessionEnd, event]);
    return { outcome: 'reused', sessionId: row.id, userId: row.user_id };
  }
  const idleExpiry = new Date(row.rotated_at.getTime() + idleExpiresInMs);
  const successorExpiresAt = earlier(idleExpiry, row.expires_at);
  return { outcome: 'rotated', session: toSession(row), successorExpiresAt, wasRaised: row.was_raised };
};

interface Dependencies {
  readonly database: Pick<Database, 'sql'>;
  readonly audit: AuditTrail;
  readonly protectDevice: ProtectDevice;
}

export const createSessionRepository = ({
  database: { sql },
  audit,
  protectDevice,
}: Dependencies): SessionRepository => {
  const find = createBatch(async (ids) => {
    const rows = await sql<SessionRow>(FIND, [ids]);
    return new Map(rows.map((row) => [row.id, row]));
  });

  return {
    async create(opening) {
      const { userId, acr, amr, expiresAt, refreshTokenHash, refreshTokenExpiresAt, passwordChangedAt, origin } =
        opening;
      const { isStrong = false } = opening;
      const [id, authTime] = [uuidv7(), new Date()];
      const event = await audit.seal({
        action: 'session.opened',
        actor: { kind: 'user', id: userId },
        subjectId: userId,
        origin,
        details: { sessionId: id, amr },
      });
      const { index, ciphertext } = await protectDevice({ id, userId }, opening.device);
      const values = [id, userId, acr, amr, authTime, expiresAt, refreshTokenHash, refreshTokenExpiresAt, event];
      const device = [index, ciphertext];
      const [row] =
        passwordChangedAt === undefined
          ? await sql<CreatedRow>(CREATE, [...values, ...device, isStrong])
          : await sql<CreatedRow>(CREATE_BY_PASSWORD, [...values, ...device, isStrong, passwordChangedAt]);
      return (
        row && {
          session: {
            ...{ id, userId, acr, amr, authTime, expiresAt, isStrong },
            ...{ roles: row.roles, hasStrongFactor: row.has_strong_factor },
          },
          isNewDevice: row.is_new_device,
          othersAlive: row.others_alive,
        }
      );
    },

    async rotate(rotation) {
      const now = new Date();
      const idleExpiry = new Date(now.getTime() + rotation.idleExpiresInMs);
      const values = [rotation.predecessor, rotation.successor, now, idleExpiry];
      const [row] = await sql<SessionRow & { successor_expires_at: Date }>(ROTATE, values);
      if (row === undefined) return rotateAgain(sql, audit, rotation);
      const successorExpiresAt = row.successor_expires_at;
      return { outcome: 'rotated', session: toSession(row), successorExpiresAt, wasRaised: false };
    },

    raise: (raise) => raiseSession(sql, audit, raise),

    async end(sessionId, userId, reason, origin) {
      const actor = { kind: 'user', id: userId } as const;
      const event = await audit.seal({
        ...{ action: 'session.ended', actor, subjectId: userId, origin },
        details: { sessionId, reason },
      });
      return (await sql(END, [sessionId, userId, new Date(), reason, event])).length === 1;
    },

    async endAll(userId, reason, origin) {
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
    },

    async findLive(sessionId) {
      const row = await find(sessionId);
      return row !== undefined && isLive(row, new Date()) ? toSession(row) : undefined;
    },
  };
};
