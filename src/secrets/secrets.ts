import { setTimeout as sleep } from 'node:timers/promises';

import type { SecretsProvider, SecretValues } from './provider';

/** Whoever is refused asks for newer secrets; nobody makes the provider answer more often, milliseconds. */
const MIN_PAUSE_MS = 1_000;
/** Processes that started together do not ask together. */
const JITTER = 0.1;

export interface Secrets {
  /** As last read. */
  readonly values: () => SecretValues;
  /**
   * Reads them anew, at most once a second, and once for all who ask meanwhile. A failure is reported to `onRead`, and
   * what was read last goes on.
   */
  readonly refresh: () => Promise<void>;
  /** Reads them anew from now on, time and again. @param onRead told of each reading, with what went wrong */
  readonly start: (onRead: (error?: Error) => void) => void;
  readonly stop: () => void;
}

/**
 * The secrets of a provider, kept in memory and refreshed while the process runs.
 *
 * @param intervalMs milliseconds from one reading to the next
 * @throws {SecretsUnavailableError} when they cannot be read at the start
 */
export const openSecrets = async (provider: SecretsProvider, intervalMs: number): Promise<Secrets> => {
  let current = await provider.read();
  let endedAt = performance.now();
  let underWay: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let onRead: (error?: Error) => void = () => undefined;

  const read = async (): Promise<void> => {
    await sleep(Math.max(0, endedAt + MIN_PAUSE_MS - performance.now()));
    let failure: Error | undefined;
    try {
      current = await provider.read();
    } catch (error) {
      failure = error instanceof Error ? error : new Error('unknown error');
    }
    endedAt = performance.now();
    underWay = undefined;
    onRead(failure);
  };
  const refresh = (): Promise<void> => (underWay ??= read());

  const schedule = (): void => {
    if (stopped) return;
    const delay = intervalMs * (1 + JITTER * (2 * Math.random() - 1));
    timer = setTimeout(() => void refresh().then(schedule, schedule), delay).unref();
  };

  return {
    values: () => current,
    refresh,
    start: (listener) => {
      onRead = listener;
      schedule();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      provider.close();
    },
  };
};
