/** What a process knows of something in the database, and when it asked. */
export interface RefreshedView<View> {
  /** A view that is not older than it may be. @throws what reading throws, once the last one is too old */
  current(): Promise<View>;
  /** The database is asked now; whoever asks while an answer is on its way waits for the same one. */
  load(): Promise<View>;
  /** What is not in the view is looked for in the database, at most once in a while. */
  find<Value>(pick: (view: View) => Value | undefined): Promise<Value | undefined>;
}

/** Invented ids must not become queries: one look-up of something unknown in so many milliseconds. */
const UNKNOWN_COOLDOWN_MS = 5_000;

/**
 * A view of the database that is never older than the configuration allows, so that a change there needs no restart.
 *
 * @param times how long a view is used before the database is asked again (`refreshAfterMs`), and how long when it does
 * not answer (`staleAfterMs`)
 * @param now milliseconds since 1970
 */
export const createRefreshedView = <View>(
  read: () => Promise<View>,
  times: { readonly refreshAfterMs: number; readonly staleAfterMs: number },
  now: () => number,
): RefreshedView<View> => {
  let kept: { readonly view: View; readonly loadedAt: number } | undefined;
  let loading: Promise<View> | undefined;
  let lastLookUpAt = -Infinity;

  /** The view that is kept, where it is younger than so many milliseconds. */
  const youngerThan = (age: number) => (kept !== undefined && now() - kept.loadedAt < age ? kept : undefined);

  const load = (): Promise<View> => {
    const loadedAt = now();
    loading ??= read()
      .then((view) => {
        kept = { view, loadedAt };
        return view;
      })
      .finally(() => {
        loading = undefined;
      });
    return loading;
  };

  const current = async (): Promise<View> => {
    const young = youngerThan(times.refreshAfterMs);
    if (young !== undefined) return young.view;
    try {
      return await load();
    } catch (error) {
      const stale = youngerThan(times.staleAfterMs);
      if (stale !== undefined) return stale.view;
      throw error;
    }
  };

  const isTooSoon = (): boolean => {
    const cooldownMs = Math.min(UNKNOWN_COOLDOWN_MS, times.refreshAfterMs);
    return now() - lastLookUpAt < cooldownMs || youngerThan(cooldownMs) !== undefined;
  };

  return {
    current,
    load,
    async find(pick) {
      const known = pick(await current());
      if (known !== undefined || isTooSoon()) return known;
      lastLookUpAt = now();
      return pick(await load());
    },
  };
};
