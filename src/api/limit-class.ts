import type { LimitClass } from '../contracts/limits';

import type { Route } from './route';

/** What a route is limited as: what it declares, or the strictest that its kind allows. */
export const limitClassOf = ({
  limit,
  method,
  auth,
}: Pick<Route, 'limit' | 'method' | 'auth'>): LimitClass | 'none' => {
  if (limit !== undefined) return limit;
  if (method === 'get') return 'read';
  return auth === 'bearer' ? 'session' : 'credentials';
};
