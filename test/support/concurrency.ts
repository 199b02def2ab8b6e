/** Runs `work` over all items with `callers` at a time, and keeps the order of the results. */
export const inParallel = async <T, R>(
  items: readonly T[],
  callers: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> => {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  const caller = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return results;
};
