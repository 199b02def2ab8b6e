import { describe, expect, it } from '@jest/globals';

import { requireAssurance } from './assurance';

describe('assurance', () => {
  const wanted = { acr: 'aal2', maxAgeMs: 600_000 } as const;
  const check = (acr: string, age: number) => () => {
    requireAssurance({ acr, authTime: 1_000_000 }, wanted, () => (1_000_000 + age) * 1_000);
  };

  it.each([0, 599, 600])('of a second factor %d seconds ago is enough', (age) => {
    expect(check('aal2', age)).not.toThrow();
  });

  it.each([
    ['one factor', 'aal1', 0],
    ['a second factor too long ago', 'aal2', 601],
    ['nothing that is known', '', 0],
  ])('of %s is not', (_name, acr, age) => {
    expect(check(acr, age)).toThrow(expect.objectContaining({ code: 'step_up_required' }));
  });
});
