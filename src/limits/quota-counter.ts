import type { Count, CounterStore } from './counter-store';

/** Where a request stands in its window: the how-manieth it is, and when the window ends. */
export interface Place {
  readonly used: number;
  /** Milliseconds. */
  readonly resetMs: number;
}

export interface Take {
  readonly counter: string;
  readonly key: string;
  readonly windowSeconds: number;
  /** Requests that may pass now; beyond, nothing is counted any more until the window ends. */
  readonly quota: number;
  /** Points that may be fetched at once: 1 is exact, more saves round trips. */
  readonly maxLease: number;
}

/** What this process knows of one count: points `next` to `end` are its own to give out. */
interface Entry {
  next: number;
  end: number;
  expiresAt: number;
  spent: number;
  fetching?: Promise<void> | undefined;
}

const SWEEP_MS = 15_000;

/**
 * Counts requests over the store. Busy keys of cheap routes fetch points ahead (as many as they spent so far, at most
 * `maxLease`), so that a thousand reads a second cost few round trips; the price is that a process may hold some points
 * that another one could have used.
 */
export const createQuotaCounter = (store: CounterStore) => {
  const entries = new Map<string, Entry>();
  const sweep = setInterval(() => {
    const now = Date.now();
    for (const [id, { expiresAt }] of entries) if (expiresAt <= now) entries.delete(id);
  }, SWEEP_MS).unref();

  /** A count of this process alone goes on from what all of them had when it last heard of it. */
  const goOn = ({ total, resetMs, isShared }: Count, points: number, known: Entry | undefined) => {
    const now = Date.now();
    return isShared || known === undefined || known.expiresAt <= now || known.end + points <= total
      ? { total, expiresAt: now + resetMs }
      : { total: known.end + points, expiresAt: known.expiresAt };
  };

  const fetchPoints = async (id: string, entry: Entry, take: Take): Promise<void> => {
    const points = Math.max(1, Math.min(take.maxLease, entry.spent));
    const counted = await store.add(take.counter, take.windowSeconds, take.key, points);
    const { total, expiresAt } = goOn(counted, points, entry);
    Object.assign(entry, { next: total - points + 1, end: total, expiresAt });
    entries.set(id, entry);
  };

  const takeOne = async ({ counter, windowSeconds, key }: Take, id: string): Promise<Place> => {
    const counted = await store.add(counter, windowSeconds, key, 1);
    const { total, expiresAt } = goOn(counted, 1, entries.get(id));
    entries.set(id, { next: total + 1, end: total, expiresAt, spent: 0 });
    return { used: total, resetMs: expiresAt - Date.now() };
  };

  const takeLeased = async (take: Take, id: string): Promise<Place> => {
    for (;;) {
      const now = Date.now();
      const known = entries.get(id);
      const entry =
        known !== undefined && known.expiresAt > now ? known : { next: 1, end: 0, expiresAt: now, spent: 0 };
      if (entry.next <= entry.end) {
        entry.spent += 1;
        const used = entry.next;
        entry.next += 1;
        return { used, resetMs: entry.expiresAt - now };
      }
      if (entry.fetching === undefined) {
        // Until it is answered, whoever comes waits for this one.
        entry.expiresAt = Math.max(entry.expiresAt, now + 1_000);
        entries.set(id, entry);
        entry.fetching = fetchPoints(id, entry, take).finally(() => {
          entry.fetching = undefined;
        });
      }
      await entry.fetching;
    }
  };

  return {
    take: (take: Take): Promise<Place> => {
      const id = `${take.counter}:${take.windowSeconds}:${take.key}`;
      const known = entries.get(id);
      // Spent, whoever spent it: no need to ask again before the window ends.
      if (known !== undefined && known.fetching === undefined && known.next > known.end && known.end >= take.quota) {
        const resetMs = known.expiresAt - Date.now();
        if (resetMs > 0) return Promise.resolve({ used: known.end + 1, resetMs });
      }
      return take.maxLease === 1 ? takeOne(take, id) : takeLeased(take, id);
    },
    close: () => {
      clearInterval(sweep);
      entries.clear();
    },
  };
};
export type QuotaCounter = ReturnType<typeof createQuotaCounter>;
