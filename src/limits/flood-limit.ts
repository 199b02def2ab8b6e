import { createHmac } from 'node:crypto';

import { addressRange, normalAddress } from '../contracts/address';
import { AppError } from '../contracts/errors';
import type { LimitPolicy } from '../contracts/limits';

import { type Admission, admissionOf, countedQuota, type Mode } from './admission';
import type { CounterStore } from './counter-store';
import { type PolicyState, secondsUntil } from './headers';
import { createQuotaCounter } from './quota-counter';

/** What stopped a request; `overall` is no fault of whoever sent it. */
export type FloodReason = 'address' | 'range' | 'overall';

interface Dependencies {
  readonly store: CounterStore;
  /** Read at use: it may change while the process runs. */
  readonly config: {
    readonly mode: () => Mode;
    readonly policy: () => LimitPolicy;
    readonly overallPerMinute: () => number;
  };
  /** Keys in Redis are HMACs under this one. */
  readonly key: Buffer;
  readonly onLimited: (scope: string, reason: FloodReason, mode: Mode) => void;
}

/** Points that a busy key may fetch at once, so that a flood costs few round trips. */
const MAX_LEASE = 100;
const OVERALL_WINDOW_SECONDS = 60;
/** Addresses whose keys are kept. */
const MAX_KEYS = 10_000;

/** HMACs of what was asked for lately. */
const createHashes = (key: Buffer) => {
  const known = new Map<string, string>();
  return (text: string): string => {
    let digest = known.get(text);
    if (digest === undefined) {
      digest = createHmac('sha256', key).update(text).digest('base64url').slice(0, 22);
      if (known.size >= MAX_KEYS) known.clear();
      known.set(text, digest);
    }
    return digest;
  };
};

/** The cheap limit of a door against floods: by client address, by its range, and of everybody together. */
export const createFloodLimit = ({ store, config, key, onLimited }: Dependencies) => {
  const counter = createQuotaCounter(store);
  const hash = createHashes(key);

  const take = async (
    scope: string,
    dimension: 'address' | 'range',
    value: string,
    { windowSeconds, ...quotas }: LimitPolicy,
  ): Promise<PolicyState[]> => {
    const quota = quotas[dimension];
    if (quota === undefined) return [];
    const taken = await counter.take({
      counter: `${scope}:${dimension}`,
      key: hash(`${dimension} ${value}`),
      windowSeconds,
      quota: countedQuota(config.mode(), quota),
      // A small quota is counted exactly.
      maxLease: Math.max(1, Math.min(MAX_LEASE, Math.floor(quota / 100))),
    });
    return [{ dimension, quota, windowSeconds, ...taken }];
  };

  const takeOverall = async (): Promise<AppError | undefined> => {
    const quota = config.overallPerMinute();
    const { used, resetMs } = await counter.take({
      counter: 'gateway:overall',
      key: 'all',
      windowSeconds: OVERALL_WINDOW_SECONDS,
      quota: countedQuota(config.mode(), quota),
      maxLease: MAX_LEASE,
    });
    if (used <= quota) return undefined;
    onLimited('gateway', 'overall', config.mode());
    const refusal = new AppError('overloaded', { retryAfterSeconds: secondsUntil(resetMs) });
    return config.mode() === 'observe' ? undefined : refusal;
  };

  const takeOf = async (scope: string, address: string, policy: LimitPolicy): Promise<Admission> => {
    const states = await Promise.all([
      take(scope, 'address', normalAddress(address), policy),
      take(scope, 'range', addressRange(address), policy),
    ]);
    return admissionOf(states.flat(), config.mode(), ({ dimension }) => {
      onLimited(scope, dimension === 'range' ? 'range' : 'address', config.mode());
    });
  };

  return {
    /** Counts a request at the door. In the mode `observe` nothing is refused. */
    admit: async (address: string): Promise<Admission> => {
      const [overall, own] = await Promise.all([takeOverall(), takeOf('gateway', address, config.policy())]);
      return { headers: own.headers, refusal: own.refusal ?? overall };
    },
    /** Counts a request to one route, which has a limit of its own. */
    admitTo: (route: string, address: string, policy: LimitPolicy): Promise<Admission> =>
      takeOf(`route:${route}`, address, policy),
    close: (): void => {
      counter.close();
      store.close();
    },
  };
};
export type FloodLimit = ReturnType<typeof createFloodLimit>;
