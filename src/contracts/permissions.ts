import type { Role } from './session';

/** What a route or an act may need. */
export const PERMISSIONS = [
  'users:read',
  'users:lock',
  'roles:write',
  'sessions:revoke',
  'audit:read',
  'recoveries:read',
  'recoveries:approve',
  'workflows:decode',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** The one table of who may do what to others. What everybody may do to their own account needs no permission. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  CUSTOMER: [],
  MERCHANT: [],
  DEVELOPER: [],
  SUPPORT: ['users:read', 'users:lock', 'sessions:revoke', 'recoveries:read', 'recoveries:approve'],
  COMPLIANCE: [
    ...([
      'users:read',
      'users:lock',
      'sessions:revoke',
      'audit:read',
      'recoveries:read',
      'recoveries:approve',
    ] as const),
    // What is decoded is personal data, which this role reads anyhow. Whoever only mends workflows sees their course without it.
    'workflows:decode',
  ],
  ADMIN: PERMISSIONS,
};

export const permissionsOf = (roles: readonly Role[]): readonly Permission[] =>
  PERMISSIONS.filter((permission) => roles.some((role) => ROLE_PERMISSIONS[role].includes(permission)));

export const isAllowed = (roles: readonly Role[], permission: Permission): boolean =>
  roles.some((role) => ROLE_PERMISSIONS[role].includes(permission));

/** Whether the one roles give every right that the others give. */
export const coversRights = (roles: readonly Role[], others: readonly Role[]): boolean =>
  permissionsOf(others).every((permission) => isAllowed(roles, permission));
