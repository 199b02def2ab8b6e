import type { SecurityConfig } from '../config/security.config';
import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';
import { isAllowed, type Permission } from '../contracts/permissions';
import type { Role } from '../contracts/session';
import type { Session } from '../repositories/session-row';

import { requireAssurance } from './assurance';

/** What is known of a session and its account. */
export type RoleHolder = Pick<Session, 'roles' | 'isStrong' | 'hasStrongFactor'>;

export interface MfaPolicy {
  /** Roles that an account must have a strong second factor for. */
  requiredRoles(): readonly Role[];
  /** The roles that count in a session: those that need a strong second factor only where one was shown, and is still there. */
  rolesInForce(holder: RoleHolder): readonly Role[];
  /** Whether the account must set a strong second factor up before anything else. */
  mustEnroll(holder: RoleHolder): boolean;
}

/** Who must have a strong second factor: an authenticator app or a passkey (`MFA_REQUIRED_ROLES`, read at use). */
export const createMfaPolicy = (config: Pick<SecurityConfig, 'mfaRequiredRoles'>): MfaPolicy => {
  const needsFactor = (role: Role): boolean => config.mfaRequiredRoles.some((required) => required === role);
  return {
    requiredRoles: () => config.mfaRequiredRoles,
    rolesInForce: ({ roles, isStrong, hasStrongFactor }) =>
      isStrong && hasStrongFactor ? roles : roles.filter((role) => !needsFactor(role)),
    mustEnroll: ({ roles, hasStrongFactor }) => !hasStrongFactor && roles.some(needsFactor),
  };
};

/** @throws {AppError} `mfa_enrollment_required` where the caller must set a second factor up first */
export const requireEnrolled = ({ mfaEnrollmentRequired }: Pick<Caller, 'mfaEnrollmentRequired'>): void => {
  if (mfaEnrollmentRequired === true) throw new AppError('mfa_enrollment_required');
};

/** Where a role that would allow it waits for a second factor to be shown. @throws {AppError} `step_up_required` */
export const requireRolesInForce = (caller: Caller, permission: Permission, maxAgeMs: number): void => {
  if (isAllowed(caller.rolesOnHold ?? [], permission))
    requireAssurance({ acr: '', authTime: 0 }, { acr: 'aal2', maxAgeMs });
};
