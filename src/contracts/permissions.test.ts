import { describe, expect, it } from '@jest/globals';

import { coversRights, isAllowed, PERMISSIONS, permissionsOf, ROLE_PERMISSIONS } from './permissions';
import { ROLES } from './session';

describe('permissions', () => {
  it('are given to every role in one table, and every permission to somebody', () => {
    expect(Object.keys(ROLE_PERMISSIONS).sort()).toEqual([...ROLES].sort());
    for (const permission of PERMISSIONS) expect(ROLES.some((role) => isAllowed([role], permission))).toBe(true);
  });

  it('of several roles add up', () => {
    expect(permissionsOf(['CUSTOMER', 'SUPPORT', 'COMPLIANCE'])).toEqual(ROLE_PERMISSIONS.COMPLIANCE);
    expect(permissionsOf([])).toEqual([]);
  });

  it('of an administrator cover those of everybody, and nobody else covers an administrator', () => {
    for (const role of ROLES) {
      expect(coversRights(['ADMIN'], [role])).toBe(true);
      expect(coversRights([role], ['ADMIN'])).toBe(role === 'ADMIN');
    }
    expect(coversRights(['SUPPORT'], ['COMPLIANCE'])).toBe(false);
  });
});
