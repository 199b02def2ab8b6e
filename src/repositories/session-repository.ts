import { v7 as uuidv7 } from 'uuid';

import type { RequestOrigin } from '../contracts/audit';
import type { SessionEnd } from '../generated/prisma/client';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import { createBatch } from './batch';
import { insertNotice } from './notice-outbox';
import type { Database } from './prisma-client';
import type { Device, ProtectDevice } from './protected-device';
import { endAllSessions, endSession } from './session-end';
import { type Raise, type RaisedSession, raiseSession } from './session-raise';
import { type Rotation, type RotationOutcome, rotateSession } from './session-rotation';
import { HAS_STRONG_FACTOR, isLive, ROLES, SESSION, type Session, type SessionRow, toSession } from './session-row';

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

const FIND = {
  name: 'session/find',
  text: `SELECT ${SESSION} FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ANY($1::uuid[])`,
};

type CreatedRow = Pick<SessionRow, 'roles' | 'has_strong_factor'> & {
  readonly is_new_device: boolean;
  readonly others_alive: number;
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

    rotate: (rotation) => rotateSession(sql, audit, rotation),
    raise: (raise) => raiseSession(sql, audit, raise),
    end: (...ending) => endSession(sql, audit, ...ending),
    endAll: (...ending) => endAllSessions(sql, audit, ...ending),

    async findLive(sessionId) {
      const row = await find(sessionId);
      return row !== undefined && isLive(row, new Date()) ? toSession(row) : undefined;
    },
  };
};
