/**
 * Looks up together what is asked for in one turn of the event loop. Under load that is one query for many requests; the
 * query starts after the last of them came, so nobody is told what was true before they asked.
 */
export const createBatch = <Value>(load: (keys: string[]) => Promise<Map<string, Value>>) => {
  let next: { readonly keys: Set<string>; readonly found: Promise<Map<string, Value>> } | undefined;

  const collect = () => {
    const keys = new Set<string>();
    const found = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      next = undefined;
      return load([...keys]);
    });
    return { keys, found };
  };

  return async (key: string): Promise<Value | undefined> => {
    next ??= collect();
    next.keys.add(key);
    return (await next.found).get(key);
  };
};
