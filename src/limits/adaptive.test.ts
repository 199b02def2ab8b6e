import { describe, expect, it } from '@jest/globals';

import { scaledQuota, standingFactor } from './adaptive';

describe('the factor of a standing', () => {
  it.each([
    [{ successes: 0, failures: 0 }, 1],
    [{ successes: 0, failures: 19 }, 1],
    [{ successes: 0, failures: 20 }, 0.5],
    [{ successes: 10, failures: 11 }, 0.5],
    [{ successes: 12, failures: 11 }, 1],
    [{ successes: 0, failures: 50 }, 0.25],
    [{ successes: 20, failures: 50 }, 0.5],
    [{ successes: 20, failures: 0 }, 2],
    [{ successes: 100, failures: 10 }, 2],
    [{ successes: 100, failures: 12 }, 1],
  ])('%j is %d', (standing, factor) => {
    expect(standingFactor(standing)).toBe(factor);
  });
});

describe('a quota', () => {
  const failing = { successes: 0, failures: 30 };
  const unknown = { successes: 0, failures: 0 };
  const good = { successes: 50, failures: 0 };

  it('of an address is halved for its own failures, and again for those of its range', () => {
    expect(scaledQuota('address', 120, { standings: { address: failing } })).toBe(60);
    expect(scaledQuota('address', 120, { standings: { address: unknown, range: failing } })).toBe(60);
    // It is all the range there is: its failures count once.
    expect(scaledQuota('address', 120, { standings: { address: failing, range: failing } })).toBe(60);
    const busy = { successes: 0, failures: 60 };
    expect(scaledQuota('address', 120, { standings: { address: failing, range: busy } })).toBe(30);
    expect(scaledQuota('address', 120, { standings: { address: good, range: failing } })).toBe(240);
  });

  it('of a caller grows with good standing and with a role', () => {
    expect(scaledQuota('caller', 30, { standings: { caller: unknown }, caller: { roles: ['CUSTOMER'] } })).toBe(30);
    expect(scaledQuota('caller', 30, { standings: { caller: good }, caller: { roles: ['CUSTOMER'] } })).toBe(60);
    expect(scaledQuota('caller', 30, { standings: { caller: good }, caller: { roles: ['CUSTOMER', 'SUPPORT'] } })).toBe(
      120,
    );
  });

  it('of an account is what it is, and none falls below one', () => {
    expect(scaledQuota('account', 30, { standings: { account: failing } })).toBe(30);
    expect(scaledQuota('address', 1, { standings: { address: failing } })).toBe(1);
  });
});
