import { describe, expect, it } from '@jest/globals';

import type { AppError } from '../contracts/errors';
import type { Role } from '../contracts/session';

import { createMfaPolicy, requireEnrolled, requireRolesInForce } from './mfa-policy';

const config: { mfaRequiredRoles: Role[] } = { mfaRequiredRoles: ['ADMIN', 'SUPPORT'] };
const policy = createMfaPolicy(config);
const STAFF: Role[] = ['CUSTOMER', 'DEVELOPER', 'ADMIN'];
const caller = {
  ...{ userId: 'u', sessionId: 's', roles: [] as Role[], acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] },
  authTime: Math.floor(Date.now() / 1_000),
  tokenExpiresAt: Math.floor(Date.now() / 1_000) + 900,
};
const codeOf = (act: () => void): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as AppError).code;
  }
};

describe('roles that need a strong second factor', () => {
  it.each([
    [false, false, ['CUSTOMER', 'DEVELOPER'], true],
    [false, true, ['CUSTOMER', 'DEVELOPER'], false],
    // It was shown, and has been removed since.
    [true, false, ['CUSTOMER', 'DEVELOPER'], true],
    [true, true, STAFF, false],
  ] as const)('shown: %p, there: %p', (isStrong, hasStrongFactor, inForce, mustEnroll) => {
    const holder = { roles: STAFF, isStrong, hasStrongFactor };
    expect(policy.rolesInForce(holder)).toEqual(inForce);
    expect(policy.mustEnroll(holder)).toBe(mustEnroll);
  });

  it('are those of the configuration of now', () => {
    const live: { mfaRequiredRoles: Role[] } = { mfaRequiredRoles: [] };
    const lax = createMfaPolicy(live);
    const holder = { roles: STAFF, isStrong: false, hasStrongFactor: false };
    expect([lax.rolesInForce(holder), lax.mustEnroll(holder)]).toEqual([STAFF, false]);
    live.mfaRequiredRoles = ['CUSTOMER'];
    expect([lax.rolesInForce(holder), lax.mustEnroll(holder)]).toEqual([['DEVELOPER', 'ADMIN'], true]);
  });

  it('send their holder to the enrolment, or to a step-up', () => {
    expect(codeOf(() => requireEnrolled({ mfaEnrollmentRequired: true }))).toBe('mfa_enrollment_required');
    expect(codeOf(() => requireEnrolled({}))).toBeUndefined();
    const onHold = { ...caller, rolesOnHold: ['SUPPORT'] as const };
    expect(codeOf(() => requireRolesInForce(onHold, 'users:read', 600_000))).toBe('step_up_required');
    expect(codeOf(() => requireRolesInForce(onHold, 'roles:write', 600_000))).toBeUndefined();
    expect(codeOf(() => requireRolesInForce(caller, 'users:read', 600_000))).toBeUndefined();
  });
});
