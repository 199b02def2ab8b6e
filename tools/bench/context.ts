import type { Helper } from './helper';
import type { LoadHelper } from './load.child';
import type { Plan } from './plan';
import type { BenchService } from './service';

/** What every measurement is given. */
export interface BenchContext {
  readonly service: BenchService;
  readonly load: Helper<LoadHelper>;
  readonly plan: Plan;
}

/** Callers of each kind of work. */
export const CALLERS = { login: 12, refresh: 16, me: 8, validateToken: 16, registration: 16 } as const;

/** Does the same several times, one after the other. */
export const repeat = async <T>(times: number, act: (round: number) => Promise<T>): Promise<T[]> => {
  const results: T[] = [];
  for (let round = 0; round < times; round += 1) results.push(await act(round));
  return results;
};
