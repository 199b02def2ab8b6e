import type { LimitDimension } from '../contracts/limits';

/** What one policy says of a request. */
export interface PolicyState {
  readonly dimension: LimitDimension;
  readonly quota: number;
  readonly windowSeconds: number;
  readonly used: number;
  readonly resetMs: number;
}

export const secondsUntil = (resetMs: number): number => Math.max(1, Math.ceil(resetMs / 1_000));

/** `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10: items with `q` and `w`, `r` and `t`. */
export const limitHeaders = ({ dimension, quota, windowSeconds, used, resetMs }: PolicyState) => ({
  'RateLimit-Policy': `"${dimension}";q=${quota};w=${windowSeconds}`,
  RateLimit: `"${dimension}";r=${Math.max(0, quota - used)};t=${secondsUntil(resetMs)}`,
});
