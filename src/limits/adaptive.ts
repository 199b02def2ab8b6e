import type { Caller } from '../contracts/caller';
import type { LimitDimension } from '../contracts/limits';

import type { Standing } from './standing';

/**
 * How a quota is scaled; the one table of it (docs/rate-limits.md shows it as well). The factors of a request are multiplied,
 * the result is at least one request.
 *
 * | signal | when | factor |
 * |---|---|---|
 * | failures | at least 20 outcomes, more than half of them failures | 1/2 |
 * | many failures | at least 50 failures, more than four fifths of all | 1/4 |
 * | good standing | at least 20 outcomes, less than a tenth of them failures | 2 |
 * | risk: a failing range | the other addresses of the /24 or /64 have failures or many failures, this one no good standing | 1/2 |
 * | role | the caller is a merchant, a developer or of the staff: programs and consoles ask more often | 2 |
 *
 * Outcomes are those of the last 15 minutes in the class of the route, by caller, address and range. The account that a
 * request names is never scaled: who fails against it are others.
 */
const FAILING = { outcomes: 20, ratio: 0.5, factor: 1 / 2 };
const FAILING_BADLY = { failures: 50, ratio: 0.8, factor: 1 / 4 };
const GOOD = { outcomes: 20, ratio: 0.1, factor: 2 };
const RISKY_RANGE_FACTOR = 1 / 2;
const ROLE_FACTOR = 2;

const ratioOf = ({ successes, failures }: Standing): number => failures / Math.max(1, successes + failures);

export const standingFactor = (standing: Standing): number => {
  const { successes, failures } = standing;
  const ratio = ratioOf(standing);
  if (failures >= FAILING_BADLY.failures && ratio > FAILING_BADLY.ratio) return FAILING_BADLY.factor;
  if (successes + failures < FAILING.outcomes) return 1;
  if (ratio > FAILING.ratio) return FAILING.factor;
  return ratio < GOOD.ratio ? GOOD.factor : 1;
};

/** Outcomes of a range but for those of one of its addresses. */
const without = (range: Standing, address: Standing): Standing => ({
  successes: Math.max(0, range.successes - address.successes),
  failures: Math.max(0, range.failures - address.failures),
});

const roleFactor = (caller: Pick<Caller, 'roles'>): number =>
  caller.roles.some((role) => role !== 'CUSTOMER') ? ROLE_FACTOR : 1;

export interface Signals {
  readonly caller?: Pick<Caller, 'roles'> | undefined;
  readonly standings: Readonly<Partial<Record<LimitDimension, Standing>>>;
}

/** The quota of one dimension after all that is known of the request. */
export const scaledQuota = (dimension: LimitDimension, base: number, { caller, standings }: Signals): number => {
  const own = standings[dimension];
  if (dimension === 'account' || own === undefined) return base;
  let factor = standingFactor(own);
  if (dimension === 'caller' && caller !== undefined) factor *= roleFactor(caller);
  if (dimension === 'address' && factor <= 1 && standings.range !== undefined) {
    if (standingFactor(without(standings.range, own)) < 1) factor *= RISKY_RANGE_FACTOR;
  }
  return Math.max(1, Math.floor(base * factor));
};
