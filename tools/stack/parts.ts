import type { Part } from './part';

/** Told when a part has started, and how long that took. */
export type OnStarted = (part: Part, milliseconds: number) => void;

export const stopInReverse = async (parts: readonly Part[]): Promise<void> => {
  for (const part of parts.toReversed()) await part.stop();
};

/** Starts them side by side. When one fails all are stopped, and its reason is thrown. */
export const startTogether = async (parts: readonly Part[], onStarted?: OnStarted): Promise<void> => {
  const starts = parts.map(async (part) => {
    const begin = Date.now();
    await part.start();
    onStarted?.(part, Date.now() - begin);
  });
  const failure = (await Promise.allSettled(starts)).find((result) => result.status === 'rejected');
  if (failure === undefined) return;
  await stopInReverse(parts);
  throw failure.reason;
};
