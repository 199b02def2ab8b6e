/**
 * What a route is limited as. `credentials`: proves who somebody is (password, code); `registration`: starts or nudges a
 * registration; `session`: goes on with or ends one; `read`: changes nothing; `admin`: acts on other people's accounts.
 */
export const LIMIT_CLASSES = ['credentials', 'registration', 'session', 'read', 'admin'] as const;
export type LimitClass = (typeof LIMIT_CLASSES)[number];

/** What requests are counted by: who asks (`caller`), whom they name (`account`), where they come from (`address`, `range`). */
export const LIMIT_DIMENSIONS = ['caller', 'account', 'address', 'range'] as const;
export type LimitDimension = (typeof LIMIT_DIMENSIONS)[number];

/** Requests that one dimension may make in a window; a dimension without a number is not limited. */
export interface LimitPolicy extends Readonly<Partial<Record<LimitDimension, number>>> {
  /** Whole seconds. */
  readonly windowSeconds: number;
}
