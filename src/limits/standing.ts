import type { CounterStore } from './counter-store';

/** How somebody's requests went in the last quarter of an hour. */
export interface Standing {
  readonly successes: number;
  readonly failures: number;
}

/** Outcomes are remembered for so long, seconds. */
const WINDOW_SECONDS = 900;
/** How old what is known of the other processes may be, milliseconds. */
const FRESH_MS = 1_000;
/** Outcomes are written together, milliseconds. */
const FLUSH_MS = 250;
/** Both counts in one number, so that one command reads and writes them: failures in millions. */
const FAILURE = 1_000_000;

interface Entry {
  shared: number;
  /** Not written yet. */
  pending: number;
  readAt: number;
  expiresAt: number;
}

const toStanding = (sum: number): Standing => ({ successes: sum % FAILURE, failures: Math.floor(sum / FAILURE) });

/** Successes and failures by key, shared by all processes: at once in this one, within a second or so in the others. */
export const createStandings = (store: CounterStore) => {
  const entries = new Map<string, Entry>();

  const load = async (key: string, entry: Entry): Promise<void> => {
    const { total } = await store.read('standing', WINDOW_SECONDS, key);
    entry.shared = total;
    entry.readAt = Date.now();
  };

  const flush = async (): Promise<void> => {
    const now = Date.now();
    for (const [key, entry] of entries) {
      if (entry.pending > 0) {
        const points = entry.pending;
        const { total } = await store.add('standing', WINDOW_SECONDS, key, points);
        entry.shared = total;
        entry.pending -= points;
        entry.readAt = Date.now();
      } else if (entry.expiresAt <= now) entries.delete(key);
    }
  };
  let flushing = Promise.resolve();
  const timer = setInterval(() => {
    flushing = flushing.then(flush);
  }, FLUSH_MS).unref();

  const entryOf = (key: string): Entry => {
    const known = entries.get(key);
    if (known !== undefined) {
      known.expiresAt = Date.now() + 2 * FRESH_MS;
      return known;
    }
    const entry = { shared: 0, pending: 0, readAt: 0, expiresAt: Date.now() + 2 * FRESH_MS };
    entries.set(key, entry);
    return entry;
  };

  return {
    of: async (key: string): Promise<Standing> => {
      const entry = entryOf(key);
      if (Date.now() - entry.readAt > FRESH_MS) await load(key, entry);
      return toStanding(entry.shared + entry.pending);
    },
    note: (key: string, failed: boolean): void => {
      entryOf(key).pending += failed ? FAILURE : 1;
    },
    close: async (): Promise<void> => {
      clearInterval(timer);
      await flushing;
    },
  };
};
export type Standings = ReturnType<typeof createStandings>;
