import { AppError } from '../contracts/errors';

import { limitHeaders, type PolicyState, secondsUntil } from './headers';

/** In `observe` everything is counted and reported, and nothing refused. */
export type Mode = 'enforce' | 'observe';

export interface Admission {
  /** `RateLimit` and `RateLimit-Policy`, of what the requester itself is counted by. */
  readonly headers: Readonly<Record<string, string>>;
  /** Why it must not go on. */
  readonly refusal: AppError | undefined;
}

/** Where nothing is refused everything is counted: a shortcut for some would tell them from others by time. */
export const countedQuota = (mode: Mode, quota: number): number =>
  mode === 'observe' ? Number.MAX_SAFE_INTEGER : quota;

/** The one that is exceeded for the longest. */
const worstOf = (states: readonly PolicyState[]): PolicyState | undefined =>
  states
    .filter(({ used, quota }) => used > quota)
    .reduce<PolicyState | undefined>(
      (worst, state) => (state.resetMs > (worst?.resetMs ?? -1) ? state : worst),
      undefined,
    );

/** What becomes of a request that was counted, and what it is told. */
export const admissionOf = (
  states: readonly PolicyState[],
  mode: Mode,
  onExceeded: (state: PolicyState) => void,
): Admission => {
  const exceeded = worstOf(states);
  // How busy an account or a neighbourhood is, is nobody's business: of these only a refusal tells.
  const own = states.find(({ dimension }) => dimension === 'caller' || dimension === 'address');
  const shown = mode === 'enforce' ? (exceeded ?? own) : own;
  const headers = shown === undefined ? {} : limitHeaders(shown);
  if (exceeded === undefined) return { headers, refusal: undefined };
  onExceeded(exceeded);
  const refusal = new AppError('rate_limited', { retryAfterSeconds: secondsUntil(exceeded.resetMs) });
  return { headers, refusal: mode === 'observe' ? undefined : refusal };
};
