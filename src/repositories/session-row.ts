import type { Role } from '../contracts/session';

import { STRONG_TYPES } from './factor-kinds';

/** A login as its tokens tell it. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  /** All that the account has; which of them are in force is a matter of policy. */
  readonly roles: readonly Role[];
  /** Whether a strong second factor was shown in it. */
  readonly isStrong: boolean;
  /** Whether the account has one now. */
  readonly hasStrongFactor: boolean;
  readonly acr: string;
  readonly amr: readonly string[];
  readonly authTime: Date;
  readonly expiresAt: Date;
}

/** A session with what decides whether it lives. */
export interface SessionRow {
  readonly id: string;
  readonly user_id: string;
  readonly acr: string;
  readonly amr: string[];
  readonly auth_time: Date;
  readonly expires_at: Date;
  readonly ended_at: Date | null;
  readonly status: string;
  readonly roles: Role[];
  readonly strong: boolean;
  readonly has_strong_factor: boolean;
}

/** Arrays of an enum have no type of their own in the driver; as text they have. */
export const ROLES = 'ARRAY(SELECT role::text FROM user_roles r WHERE r.user_id = s.user_id) AS roles';
export const HAS_STRONG_FACTOR = `
  EXISTS (SELECT 1 FROM factors f WHERE f.user_id = s.user_id AND f.type IN (${STRONG_TYPES})) AS has_strong_factor`;
export const SESSION = `
  s.id, s.user_id, s.acr, s.amr, s.auth_time, s.expires_at, s.ended_at, s.strong, u.status::text, ${ROLES}, ${HAS_STRONG_FACTOR}`;

export const isLive = (row: SessionRow, now: Date): boolean =>
  row.ended_at === null && row.expires_at > now && row.status === 'ACTIVE';

export const toSession = (row: SessionRow): Session => ({
  id: row.id,
  userId: row.user_id,
  roles: row.roles,
  isStrong: row.strong,
  hasStrongFactor: row.has_strong_factor,
  acr: row.acr,
  amr: row.amr,
  authTime: row.auth_time,
  expiresAt: row.expires_at,
});
