import { createHmac } from 'node:crypto';

import { addressRange, normalAddress } from '../contracts/address';
import type { Caller } from '../contracts/caller';
import { LIMIT_DIMENSIONS, type LimitClass, type LimitDimension, type LimitPolicy } from '../contracts/limits';

import { scaledQuota } from './adaptive';
import { type Admission, admissionOf, countedQuota, type Mode } from './admission';
import type { CounterStore } from './counter-store';
import type { PolicyState } from './headers';
import { createQuotaCounter, type Place } from './quota-counter';
import { createStandings, type Standing } from './standing';

/** Whom a request is counted against. What is not known is not counted. */
export interface Subjects {
  readonly caller?: Caller | undefined;
  readonly address?: string | undefined;
  /** The blind index of the identifier in the body, as text. */
  readonly account?: string | undefined;
}

export interface RateLimiter {
  /** Counts a request. In the mode `observe` nothing is refused. */
  admit(limitClass: LimitClass, subjects: Subjects): Promise<Admission>;
  /** Remembers how a request ended, for what comes after it. */
  settle(limitClass: LimitClass, subjects: Subjects, failed: boolean): void;
  close(): Promise<void>;
}

interface Dependencies {
  readonly store: CounterStore;
  /** Read at use: it may change while the process runs. */
  readonly config: {
    readonly mode: Mode;
    readonly classes: Readonly<Record<LimitClass, LimitPolicy>>;
  };
  /** Keys in Redis are HMACs under this one. */
  readonly key: Buffer;
  readonly onLimited: (limitClass: LimitClass, reason: LimitDimension, mode: Mode) => void;
}

/** Points that a busy key of a cheap class may fetch at once. */
const MAX_LEASE: Readonly<Record<LimitClass, number>> = {
  credentials: 1,
  registration: 1,
  session: 10,
  read: 50,
  admin: 1,
};
/** Classes in which an outcome tells something. */
const WITH_STANDING: ReadonlySet<LimitClass> = new Set<LimitClass>(['credentials', 'session', 'admin']);

type Keys = Partial<Record<LimitDimension, string>>;

export const createRateLimiter = ({ store, config, key, onLimited }: Dependencies): RateLimiter => {
  const counter = createQuotaCounter(store);
  const standings = createStandings(store);
  const hash = (dimension: LimitDimension, value: string): string =>
    createHmac('sha256', key).update(`${dimension}\0${value}`).digest('base64url').slice(0, 22);

  /**
   * Whom the session store confirms is counted as such and, but for credentials, not by address: an address may be that of
   * thousands (carrier-grade NAT).
   */
  const keysOf = (limitClass: LimitClass, { caller, address, account }: Subjects): Keys => {
    const byAddress = address !== undefined && (caller === undefined || limitClass === 'credentials');
    return {
      ...(caller !== undefined && { caller: hash('caller', caller.userId) }),
      ...(account !== undefined && { account: hash('account', account) }),
      ...(byAddress && {
        address: hash('address', normalAddress(address)),
        range: hash('range', addressRange(address)),
      }),
    };
  };

  const standingsOf = async (
    limitClass: LimitClass,
    keys: Keys,
  ): Promise<Partial<Record<LimitDimension, Standing>>> => {
    if (!WITH_STANDING.has(limitClass)) return {};
    const known = (['caller', 'address', 'range'] as const).flatMap((dimension) => {
      const value = keys[dimension];
      return value === undefined ? [] : [[dimension, value] as const];
    });
    return Object.fromEntries(
      await Promise.all(
        known.map(async ([dimension, value]) => [dimension, await standings.of(`${limitClass}:${value}`)] as const),
      ),
    );
  };

  const statesOf = async (limitClass: LimitClass, subjects: Subjects): Promise<PolicyState[]> => {
    const policy = config.classes[limitClass];
    const { windowSeconds } = policy;
    const keys = keysOf(limitClass, subjects);
    const signals = { caller: subjects.caller, standings: await standingsOf(limitClass, keys) };
    return Promise.all(
      LIMIT_DIMENSIONS.flatMap((dimension) => {
        const [base, value] = [policy[dimension], keys[dimension]];
        if (base === undefined || value === undefined) return [];
        const quota = scaledQuota(dimension, base, signals);
        const place: Promise<Place> = counter.take({
          counter: `${limitClass}:${dimension}`,
          key: value,
          windowSeconds,
          quota: countedQuota(config.mode, quota),
          maxLease: MAX_LEASE[limitClass],
        });
        return [place.then((taken) => ({ dimension, quota, windowSeconds, ...taken }))];
      }),
    );
  };

  return {
    async admit(limitClass, subjects) {
      return admissionOf(await statesOf(limitClass, subjects), config.mode, ({ dimension }) => {
        onLimited(limitClass, dimension, config.mode);
      });
    },

    settle(limitClass, subjects, failed) {
      if (!WITH_STANDING.has(limitClass)) return;
      const { caller, address, range } = keysOf(limitClass, subjects);
      for (const value of [caller, address, range])
        if (value !== undefined) standings.note(`${limitClass}:${value}`, failed);
    },

    async close() {
      counter.close();
      await standings.close();
      store.close();
    },
  };
};
