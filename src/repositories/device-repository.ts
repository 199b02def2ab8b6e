import type { RequestOrigin } from '../contracts/audit';
import type { BlindIndex, FieldCipher } from '../contracts/data-protection';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import type { Database } from './prisma-client';

/** The device of a login, as its owner may recognise it. */
interface Device {
  /** Tells the devices of one account apart; only its blind index is stored. */
  readonly key: string;
  readonly userAgent: string;
  readonly ip: string;
}

export interface DeviceSession {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  /** Null for sessions that are older than this record. */
  readonly device: Pick<Device, 'userAgent' | 'ip'> | null;
}

/** The sessions of an account by device. */
export interface DeviceRepository {
  /**
   * Records from where a session was opened, and ends the oldest sessions of the account beyond `limit`.
   *
   * @returns whether the account has been used before, and never from this device
   */
  record(
    session: { id: string; userId: string },
    device: Device,
    limit: number,
    origin: RequestOrigin,
  ): Promise<{ isNewDevice: boolean }>;
  /** Sessions that can go on, the last used first. */
  list(userId: string): Promise<DeviceSession[]>;
}

/** Counted, so that every row is locked before the chain of the audit trail is: who holds the chain waits for no session. */
const SURPLUS = '(SELECT count(*) AS ended FROM changing WHERE is_surplus) AS surplus WHERE ended > 0';

/**
 * Run after the session is committed: of logins at the same time the last one to get here sees them all, so the limit
 * holds. They agree on who is the oldest, and lock in one order.
 */
const RECORD = {
  name: 'device/record',
  text: `
    WITH live AS (
      SELECT id, row_number() OVER (ORDER BY created_at DESC, id DESC) > $6 AS is_surplus
      FROM sessions WHERE user_id = $2 AND ended_at IS NULL AND expires_at > $5
    ), changing AS (
      SELECT s.id, live.is_surplus FROM sessions s JOIN live ON live.id = s.id
      WHERE s.id = $1 OR live.is_surplus ORDER BY s.id FOR UPDATE OF s
    ), changed AS (
      UPDATE sessions s SET
        device_index = CASE WHEN s.id = $1 THEN $3 ELSE s.device_index END,
        device_ciphertext = CASE WHEN s.id = $1 THEN $4 ELSE s.device_ciphertext END,
        ended_at = CASE WHEN changing.is_surplus THEN $5::timestamptz ELSE s.ended_at END,
        ended_by = CASE WHEN changing.is_surplus THEN 'SESSION_LIMIT'::session_end ELSE s.ended_by END
      FROM changing WHERE s.id = changing.id AND s.ended_at IS NULL
    ), audited AS (${insertAuditEvents('$7', SURPLUS)})
    SELECT count(*) > 0 AND count(*) FILTER (WHERE device_index = $3) = 0 AS is_new_device
    FROM sessions WHERE user_id = $2 AND id <> $1 AND device_index IS NOT NULL`,
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
  readonly cipher: FieldCipher;
  readonly blindIndex: BlindIndex;
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
    blindIndex,
    audit,
  } = dependencies;
  const location = (rowId: string) => ({ table: 'sessions', column: 'device_ciphertext', rowId });
  const decrypt = (ciphertext: string, rowId: string) =>
    JSON.parse(cipher.decrypt(ciphertext, location(rowId))) as Pick<Device, 'userAgent' | 'ip'>;

  return {
    async record({ id, userId }, { key, userAgent, ip }, limit, origin) {
      const index = blindIndex.of('device', `${userId}\0${key}`);
      const ciphertext = cipher.encrypt(JSON.stringify({ userAgent, ip }), location(id));
      const event = audit.seal({
        action: 'sessions.ended',
        actor: { kind: 'service' },
        subjectId: userId,
        origin,
        details: { reason: 'SESSION_LIMIT' },
      });
      const values = [id, userId, index, ciphertext, new Date(), limit, event];
      const [row] = await sql<{ is_new_device: boolean }>(RECORD, values);
      return { isNewDevice: row?.is_new_device ?? false };
    },

    async list(userId) {
      const rows = await sql<SessionRow>(LIST, [userId, new Date()]);
      return rows.map((row) => ({
        id: row.id,
        createdAt: row.created_at,
        lastUsedAt: row.last_used_at,
        device: row.device_ciphertext === null ? null : decrypt(row.device_ciphertext, row.id),
      }));
    },
  };
};
