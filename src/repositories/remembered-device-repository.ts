import type { RequestOrigin } from '../contracts/audit';
import type { FieldCipher, FieldLocation } from '../contracts/data-protection';
import { MAX_REMEMBERED_DEVICES, NEVER_REMEMBERED_ROLES } from '../contracts/remembered-device';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import type { Database } from './prisma-client';
import type { DeviceDescription } from './protected-device';

type Hash = Uint8Array<ArrayBuffer>;

export interface NewRememberedDevice {
  readonly id: string;
  readonly userId: string;
  /** The login that it rests on: where it has ended, nothing is remembered. */
  readonly sessionId: string;
  readonly tokenHash: Hash;
  readonly deviceIndex: Hash;
  readonly device: DeviceDescription;
  readonly passwordChangedAt: Date;
  /** Before the second factor was shown: where another one came since, nothing is remembered. */
  readonly provenSince: Date;
  readonly expiresAt: Date;
  readonly origin: RequestOrigin;
}
export interface ShownDevice {
  readonly userId: string;
  readonly tokenHash: Hash;
  readonly deviceIndex: Hash;
  readonly passwordChangedAt: Date;
  /** What was remembered before is no longer known. */
  readonly rememberedAfter: Date;
}
export interface RememberedDevice extends DeviceDescription {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
}

export interface RememberedDeviceRepository {
  /** In the stead of what was remembered of the same device. False where the login or its factor is gone, or a role forbids it. */
  remember(device: NewRememberedDevice): Promise<boolean>;
  /** The remembered device that a token is of, which counts as used now. */
  recognise(shown: ShownDevice): Promise<string | undefined>;
  list(userId: string, rememberedAfter: Date): Promise<RememberedDevice[]>;
  /** False where the account has no such device. */
  forget(userId: string, id: string, origin: RequestOrigin): Promise<boolean>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly cipher: Pick<FieldCipher, 'encrypt' | 'decrypt'>;
  readonly audit: Pick<AuditTrail, 'append' | 'seal'>;
}

/** Whoever adds or removes a factor, or ends every session for staff, holds it too: they come before, and are seen, or after. */
const HOLD_ACCOUNT = {
  name: 'remembered-device/hold-account',
  text: 'SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE',
};
const CLEAR = {
  name: 'remembered-device/clear',
  text: `
    DELETE FROM remembered_devices WHERE user_id = $1 AND (
      device_index = $2 OR expires_at <= $3 OR id IN (
        SELECT id FROM remembered_devices WHERE user_id = $1 ORDER BY last_used_at DESC, id DESC OFFSET $4::int
      )
    )`,
};
const NO_SUCH_ROLE = (userId: string, roles: string): string =>
  `NOT EXISTS (SELECT 1 FROM user_roles WHERE user_id = ${userId} AND role::text = ANY(${roles}::text[]))`;
/** The lock on the session makes whoever ends all of them wait, and find this device then. */
const REMEMBER = {
  name: 'remembered-device/remember',
  text: `
    WITH session AS (SELECT id FROM sessions WHERE id = $10 AND user_id = $2 AND ended_at IS NULL FOR SHARE)
    INSERT INTO remembered_devices (id, user_id, token_hash, device_index, password_changed_at, device_ciphertext, created_at,
      last_used_at, expires_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $7, $8 FROM session
    WHERE ${NO_SUCH_ROLE('$2', '$9')} AND EXISTS (SELECT 1 FROM factors WHERE user_id = $2)
      AND NOT EXISTS (SELECT 1 FROM factors WHERE user_id = $2 AND confirmed_at > $11)
    RETURNING id`,
};
const RECOGNISE = {
  name: 'remembered-device/recognise',
  text: `
    UPDATE remembered_devices SET last_used_at = $5
    WHERE token_hash = $1 AND user_id = $2 AND device_index = $3 AND password_changed_at = $4 AND expires_at > $5
      AND created_at > $6 AND ${NO_SUCH_ROLE('$2', '$7')}
    RETURNING id`,
};
const LIST = {
  name: 'remembered-device/list',
  text: `
    SELECT id, device_ciphertext, created_at, last_used_at, expires_at FROM remembered_devices
    WHERE user_id = $1 AND expires_at > $2 AND created_at > $3 ORDER BY last_used_at DESC, id DESC`,
};
const FORGET = {
  name: 'remembered-device/forget',
  text: `
    WITH forgotten AS (
      DELETE FROM remembered_devices WHERE id = $1 AND user_id = $2 RETURNING id
    ), audited AS (${insertAuditEvents('$3', 'forgotten')})
    SELECT id FROM forgotten`,
};

interface ListRow {
  readonly id: string;
  readonly device_ciphertext: string;
  readonly created_at: Date;
  readonly last_used_at: Date;
  readonly expires_at: Date;
}
const location = (rowId: string, userId: string): FieldLocation => ({
  table: 'remembered_devices',
  column: 'device_ciphertext',
  rowId,
  personId: userId,
});

export const createRememberedDeviceRepository = (deps: Dependencies): RememberedDeviceRepository => {
  const { database, cipher, audit } = deps;
  return {
    remember: ({ id, userId, sessionId, device, origin, ...device_ }) =>
      database.transact(async (sql) => {
        const now = new Date();
        const { tokenHash, deviceIndex, passwordChangedAt, expiresAt, provenSince } = device_;
        const description = { userAgent: device.userAgent, ip: device.ip } satisfies DeviceDescription;
        await sql(HOLD_ACCOUNT, [userId]);
        await sql(CLEAR, [userId, deviceIndex, now, MAX_REMEMBERED_DEVICES - 1]);
        const ciphertext = await cipher.encrypt(JSON.stringify(description), location(id, userId));
        const values = [id, userId, tokenHash, deviceIndex, passwordChangedAt, ciphertext, now, expiresAt];
        const created = await sql(REMEMBER, [...values, NEVER_REMEMBERED_ROLES, sessionId, provenSince]);
        if (created.length === 0) return false;
        const [actor, details] = [{ kind: 'user', id: userId } as const, { rememberedDeviceId: id, sessionId }];
        await audit.append(sql, { action: 'device.remembered', actor, subjectId: userId, origin, details });
        return true;
      }),

    async recognise({ tokenHash, userId, deviceIndex, passwordChangedAt, rememberedAfter }) {
      const values = [tokenHash, userId, deviceIndex, passwordChangedAt, new Date(), rememberedAfter];
      const [row] = await database.sql<{ id: string }>(RECOGNISE, [...values, NEVER_REMEMBERED_ROLES]);
      return row?.id;
    },

    async list(userId, rememberedAfter) {
      const rows = await database.sql<ListRow>(LIST, [userId, new Date(), rememberedAfter]);
      return Promise.all(
        rows.map(async (row) => ({
          ...(JSON.parse(await cipher.decrypt(row.device_ciphertext, location(row.id, userId))) as DeviceDescription),
          id: row.id,
          createdAt: row.created_at,
          lastUsedAt: row.last_used_at,
          expiresAt: row.expires_at,
        })),
      );
    },

    async forget(userId, id, origin) {
      const [actor, details] = [{ kind: 'user', id: userId } as const, { rememberedDeviceId: id }];
      const event = await audit.seal({ action: 'device.forgotten', actor, subjectId: userId, origin, details });
      return (await database.sql(FORGET, [id, userId, event])).length === 1;
    },
  };
};
