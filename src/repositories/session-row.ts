import type { Role } from '../contracts/session';

/** A login as its tokens tell it. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly roles: readonly Role[];
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
}

/** Arrays of an enum have no type of their own in the driver; as text they have. */
export const ROLES = 'ARRAY(SELECT role::text FROM user_roles r WHERE r.user_id = s.user_id) AS roles';
export const SESSION = `s.id, s.user_id, s.acr, s.amr, s.auth_time, s.expires_at, s.ended_at, u.status::text, ${ROLES}`;

export const isLive = (row: SessionRow, now: Date): boolean =>
  row.ended_at === null && row.expires_at > now && row.status === 'ACTIVE';

export const toSession = (row: SessionRow): Session => ({
  id: row.id,
  userId: row.user_id,
  roles: row.roles,
  acr: row.acr,
  amr: row.amr,
  authTime: row.auth_time,
  expiresAt: row.expires_at,
});
