/** What a process knows of something in the database, and when it asked. */
export interface RefreshedView<View> {
  /** A view that is not older than it may be. @throws what reading throws, once the last one is too old */
  current(): Promise<View>;
  /** The database is asked now; whoever asks while an answer is on its way waits for the same one. */
  load(): Promise<View>;
  /** What is not in the view is looked for in the database, as often as `unknownCooldownMs` allows. */
  find<Value>(pick: (view: View) => Value | undefined): Promise<Value | undefined>;
}

export interface ViewTimes {
  /** Age at which the database is asked again, milliseconds. */
  readonly refreshAfterMs: number;
  /** Age up to which a view is used where the database does not answer. */
  readonly staleAfterMs: number;
  /**
   * One look-up of something unknown in so many milliseconds: for ids that anybody can invent, which must not become queries.
   * With 0 each is looked for, and what was in the database when it was asked for is found.
   */
  readonly unknownCooldownMs: number;
}

/**
 * A view of the database that is never older than the configuration allows, so that a change there needs no restart.
 *
 * @param now milliseconds since 1970
 */
export const createRefreshedView = <View>(
  read: () => Promise<View>,
  times: ViewTimes,
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

  /** An answer to a question that was asked after this, unlike one that may be on its way. */
  const loadAfresh = async (): Promise<View> => {
    await loading?.catch(() => undefined);
    return load();
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
    const cooldownMs = Math.min(times.unknownCooldownMs, times.refreshAfterMs);
    return now() - lastLookUpAt < cooldownMs || youngerThan(cooldownMs) !== undefined;
  };

  return {
    current,
    load,
    async find(pick) {
      const known = pick(await current());
      if (known !== undefined || isTooSoon()) return known;
      lastLookUpAt = now();
      return pick(await loadAfresh());
    },
  };
};
