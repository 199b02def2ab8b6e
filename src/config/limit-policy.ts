import { z } from 'zod';

import { describe, split } from './fields';

/** Requests in a window by what they are counted by; the names are those of the contract. */
export interface ParsedLimitPolicy {
  readonly windowSeconds: number;
  readonly caller?: number;
  readonly account?: number;
  readonly address?: number;
  readonly range?: number;
}
const LIMIT_FORMAT = 'caller=60,account=30,address=120,range=600,window=1m (what is left out is not limited)';
const LIMIT_PART = /^(?:(caller|account|address|range)=([1-9]\d{0,8})|window=([1-9]\d{0,4})(s|m|h))$/;
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

const toLimitPolicy = (value: string, context: z.RefinementCtx): ParsedLimitPolicy => {
  const policy: Record<string, number> = {};
  for (const part of split(value)) {
    const [, dimension = 'windowSeconds', quota, window, unit = ''] = LIMIT_PART.exec(part) ?? [];
    const amount = quota === undefined ? Number(window) * (UNIT_SECONDS[unit] ?? 0) : Number(quota);
    if (!Number.isInteger(amount) || dimension in policy) {
      context.addIssue({ code: 'custom', message: `must be like ${LIMIT_FORMAT}, each part once` });
      return z.NEVER;
    }
    policy[dimension] = amount;
  }
  if (policy['windowSeconds'] === undefined)
    context.addIssue({ code: 'custom', message: 'needs a window such as window=1m' });
  return policy as unknown as ParsedLimitPolicy;
};

/** Limits of one class of routes, such as `address=120,range=600,window=1m`. */
export const limitPolicy = (defaultValue: string, description: string) =>
  describe(z.string().transform(toLimitPolicy).prefault(defaultValue), {
    description,
    format: LIMIT_FORMAT,
  });
