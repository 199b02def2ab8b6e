import type { GatewayService } from '../config/gateway-routes';

import type { OwnAnswer, Upstream } from './upstream';

/** An upstream with its share. */
export interface Weighted {
  readonly upstream: Upstream;
  readonly weight: number;
}

/** Servers that answer alike. */
export interface Service {
  readonly name: string;
  readonly settings: GatewayService;
  readonly upstreams: readonly Weighted[];
  /**
   * An upstream for the next attempt: by weight among those that are ready, or among all that can be used where none is.
   *
   * @param key of the client, where it is to stay with one upstream
   * @param tried those that have failed already, which are taken only if there is no other
   */
  readonly pick: (key: string | undefined, tried: ReadonlySet<Upstream>) => Upstream | undefined;
  /** Whether nothing but the number of requests that run keeps it from more. */
  readonly isFull: () => boolean;
  /** Waits until an upstream can be used, for as long as the client does. @returns whether one can */
  readonly whenUsable: (milliseconds: number, client: { readonly destroyed: boolean }) => Promise<boolean>;
  /** Remembers how an upstream answered; one that is much worse than its siblings gets nothing for a while. */
  readonly note: (upstream: Upstream, failed: boolean) => void;
  /** A request of the gateway's own to any upstream. */
  readonly get: (path: string) => Promise<OwnAnswer>;
  readonly budget: RetryBudget;
}

const POLL_MS = 25;
/** Requests that may wait for an upstream at once. */
const MAX_WAITING = 2_000;

/** Of a hundred requests so many may be repeated... */
const BUDGET_SHARE = 0.2;
/** ... and so many at once after a quiet time: a failure must not double the load of what is left. */
const BUDGET_MAX = 100;

export interface RetryBudget {
  readonly earn: () => void;
  readonly spend: () => boolean;
}

export const createRetryBudget = (): RetryBudget => {
  let left = BUDGET_MAX;
  return {
    earn: () => {
      left = Math.min(BUDGET_MAX, left + BUDGET_SHARE);
    },
    spend: () => {
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
};

/** FNV-1a with a final mix, as a number above 0 and below 1: evenly spread, the same in every process. */
const hashed = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) + 1) / 4_294_967_298;
};

/** Weighted rendezvous: with an upstream more or less only its own share of the clients moves. */
const stickyChoice = (candidates: readonly Weighted[], key: string): Weighted | undefined => {
  let best: Weighted | undefined;
  let bestScore = -Infinity;
  for (const candidate of candidates) {
    const score = -candidate.weight / Math.log(hashed(`${candidate.upstream.url} ${key}`));
    if (score > bestScore) [best, bestScore] = [candidate, score];
  }
  return best;
};

const randomChoice = (candidates: readonly Weighted[], random: () => number): Weighted | undefined => {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  let rest = random() * total;
  for (const candidate of candidates) {
    rest -= candidate.weight;
    if (rest < 0) return candidate;
  }
  return candidates.at(-1);
};

/** @param random 0 up to 1 */
export const createService = (
  name: string,
  settings: GatewayService,
  upstreams: readonly Weighted[],
  random: () => number = Math.random,
): Service => {
  const candidates = upstreams.filter(({ weight }) => weight > 0);
  const isAnyUsable = (): boolean => candidates.some(({ upstream }) => upstream.isUsable());
  let waiting = 0;

  const pick: Service['pick'] = (key, tried) => {
    const usable = candidates.filter(({ upstream }) => upstream.isUsable());
    const fresh = usable.filter(({ upstream }) => !tried.has(upstream));
    const best = fresh.filter(({ upstream }) => upstream.isHealthy() && !upstream.outcomes.isEjected());
    const chosen = [best, fresh, usable].find((tier) => tier.length > 0) ?? [];
    if (chosen.length === 1) return chosen[0]?.upstream;
    return (key === undefined ? randomChoice(chosen, random) : stickyChoice(chosen, key))?.upstream;
  };

  return {
    name,
    settings,
    upstreams,
    pick,
    budget: createRetryBudget(),
    isFull: () => candidates.every(({ upstream }) => upstream.isFull()),
    whenUsable: async (milliseconds, client) => {
      if (waiting >= MAX_WAITING) return false;
      waiting += 1;
      try {
        const end = performance.now() + milliseconds;
        while (!isAnyUsable()) {
          if (client.destroyed || performance.now() >= end) return false;
          // Not all at once.
          await new Promise((resolve) => setTimeout(resolve, POLL_MS * (1 + random())));
        }
        return true;
      } finally {
        waiting -= 1;
      }
    },
    note: (upstream, failed) => {
      upstream.outcomes.note(failed);
      if (!failed || candidates.length < 2 || !upstream.outcomes.isBad()) return;
      const others = candidates.filter((other) => other.upstream !== upstream);
      const left = others.filter((other) => !other.upstream.outcomes.isEjected());
      // Never more than half of them, and not when all are bad alike: then the cause is elsewhere.
      if (left.length * 2 < candidates.length || !left.some((other) => other.upstream.outcomes.isGood())) return;
      upstream.outcomes.eject();
    },
    get: (path) => {
      const upstream = pick(undefined, new Set());
      return upstream === undefined ? Promise.reject(new Error(`no upstream of ${name}`)) : upstream.get(path);
    },
  };
};
