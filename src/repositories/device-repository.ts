import type { RequestOrigin } from '../contracts/audit';
import type { FieldCipher } from '../contracts/data-protection';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import type { Database } from './prisma-client';
import { type DeviceDescription, readDevice } from './protected-device';

export interface DeviceSession {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  /** Null for sessions that are older than this record. */
  readonly device: DeviceDescription | null;
}

/** The sessions of an account by device. */
export interface DeviceRepository {
  /** Ends the oldest sessions of the account beyond `limit`. */
  endSurplus(userId: string, limit: number, origin: RequestOrigin): Promise<void>;
  /** Sessions that can go on, the last used first. */
  list(userId: string): Promise<DeviceSession[]>;
}

/**
 * Run after a session is committed: of logins at the same time the last one to get here sees them all, so the limit holds. They
 * agree on who is the oldest, and lock in one order: every row before the chain of the audit trail, so that who holds the chain
 * waits for no session (counted for that).
 */
const END_SURPLUS = {
  name: 'device/end-surplus',
  text: `
    WITH live AS (
      SELECT id, row_number() OVER (ORDER BY created_at DESC, id DESC) > $3 AS is_surplus
      FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
    ), ending AS (
      SELECT s.id FROM sessions s JOIN live ON live.id = s.id WHERE live.is_surplus ORDER BY s.id FOR UPDATE OF s
    ), ended AS (
      UPDATE sessions s SET ended_at = $2, ended_by = 'SESSION_LIMIT' FROM ending
      WHERE s.id = ending.id AND s.ended_at IS NULL
    ), audited AS (${insertAuditEvents('$4', '(SELECT count(*) AS sessions FROM ending) AS surplus WHERE sessions > 0')})
    SELECT count(*) FROM ending`,
};

const LIST = {
  name: 'device/list',
  text: `
    SELECT id, created_at, last_used_at, device_ciphertext FROM sessions s
    WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 AND EXISTS (
      SELECT 1 FROM refresh_tokens t WHERE t.session_id = s.id AND t.rotated_at IS NULL AND t.expires_at > $2
    ) ORDER BY last_used_at DESC, id DESC`,
};

interface Dependencies {
  readonly database: Pick<Database, 'sql'>;
  readonly cipher: Pick<FieldCipher, 'decrypt'>;
  readonly audit: AuditTrail;
}

interface SessionRow {
  readonly id: string;
  readonly created_at: Date;
  readonly last_used_at: Date;
  readonly device_ciphertext: string | null;
}

export const createDeviceRepository = (dependencies: Dependencies): DeviceRepository => {
  const {
    database: { sql },
    cipher,
    audit,
  } = dependencies;

  return {
    async endSurplus(userId, limit, origin) {
      const event = await audit.seal({
        action: 'sessions.ended',
        actor: { kind: 'service' },
        subjectId: userId,
        origin,
        details: { reason: 'SESSION_LIMIT' },
      });
      await sql(END_SURPLUS, [userId, new Date(), limit, event]);
    },

    async list(userId) {
      const rows = await sql<SessionRow>(LIST, [userId, new Date()]);
      return Promise.all(
        rows.map(async (row) => ({
          id: row.id,
          createdAt: row.created_at,
          lastUsedAt: row.last_used_at,
          device:
            row.device_ciphertext === null
              ? null
              : await readDevice(cipher, { id: row.id, userId }, row.device_ciphertext),
        })),
      );
    },
  };
};
