import { watch } from 'chokidar';

/** An editor writes several files at once, and some write each of them twice. */
const SETTLE_MS = 100;

/**
 * Hands over changed files, one batch after the other. Files of a batch that failed come again with the next change.
 *
 * @returns stops watching
 */
export const watchSources = (
  folders: readonly string[],
  onChange: (files: readonly string[]) => Promise<boolean>,
): (() => Promise<void>) => {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let busy = Promise.resolve();

  const handOver = async (): Promise<void> => {
    const batch = [...changed];
    changed.clear();
    if (batch.length === 0 || (await onChange(batch))) return;
    for (const file of batch) changed.add(file);
  };

  const watcher = watch([...folders], { ignoreInitial: true });
  watcher.on('all', (event, file) => {
    if (event === 'addDir' || event === 'unlinkDir') return;
    changed.add(file);
    clearTimeout(timer);
    timer = setTimeout(() => {
      busy = busy.then(handOver);
    }, SETTLE_MS);
  });
  return async () => {
    clearTimeout(timer);
    await watcher.close();
    await busy;
  };
};
