import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { permissionsOf } from '../contracts/permissions';
import { type Role, ROLES } from '../contracts/session';
import type { HeldAccount, HeldAccounts } from '../repositories/admin-repository';

import { checkAdminRemains, checkRank, checkRole } from './admin-rules';

const account = (id: string, roles: readonly Role[], status: HeldAccount['status'] = 'ACTIVE'): HeldAccount => ({
  id,
  roles,
  status,
});
const held = (change: Partial<HeldAccounts>): HeldAccounts => ({
  actor: account('actor', ['ADMIN']),
  target: account('target', ['CUSTOMER']),
  otherAdmins: 1,
  ...change,
});
const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'allowed';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('the rules of administration', () => {
  it.each<[string, Partial<HeldAccounts>]>([
    ['allowed', {}],
    ['allowed', { actor: account('actor', ['SUPPORT']) }],
    ['user_not_found', { target: undefined }],
    ['own_account', { target: account('actor', ['ADMIN']) }],
    ['forbidden', { actor: undefined }],
    ['forbidden', { actor: account('actor', []) }],
    ['forbidden', { actor: account('actor', ['ADMIN'], 'LOCKED') }],
    ['forbidden', { actor: account('actor', ['SUPPORT']), target: account('target', ['ADMIN']) }],
    ['forbidden', { actor: account('actor', ['SUPPORT']), target: account('target', ['COMPLIANCE']) }],
    ['allowed', { actor: account('actor', ['COMPLIANCE']), target: account('target', ['SUPPORT']) }],
  ])('%s: %j', (expected, change) => {
    expect(codeOf(() => checkRank(held(change), 'users:lock'))).toBe(expected);
  });

  it('give nobody a right that they do not hold (property)', () => {
    const roles = fc.uniqueArray(fc.constantFrom(...ROLES));
    fc.assert(
      fc.property(roles, fc.constantFrom(...ROLES), (own, role) => {
        const outcome = codeOf(() => checkRole(held({ actor: account('actor', own) }), role));
        const hasAll = permissionsOf([role]).every((permission) => permissionsOf(own).includes(permission));
        expect(outcome).toBe(hasAll ? 'allowed' : 'forbidden');
      }),
    );
  });

  it('keep one active administrator', () => {
    const admin = account('target', ['ADMIN']);
    expect(codeOf(() => checkAdminRemains(held({ target: admin, otherAdmins: 0 })))).toBe('last_administrator');
    expect(codeOf(() => checkAdminRemains(held({ target: admin, otherAdmins: 1 })))).toBe('allowed');
    const locked = account('target', ['ADMIN'], 'LOCKED');
    expect(codeOf(() => checkAdminRemains(held({ target: locked, otherAdmins: 0 })))).toBe('allowed');
    expect(codeOf(() => checkAdminRemains(held({ otherAdmins: 0 })))).toBe('allowed');
  });
});
