const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** One Ctrl-C arrives several times: from the terminal, from npm and from the set-up. */
const SAME_SIGNAL_MS = 1_000;

export interface Interruption {
  /** Whether the person, or whatever started this process, wants it to end. */
  readonly wanted: () => boolean;
  /** Settles when that is so. */
  readonly requested: Promise<void>;
}

/** Listens for the wish to end; a second one, later, is for ending at once. */
export const listenForInterruption = (endAtOnce: () => void): Interruption => {
  let firstAt: number | undefined;
  const requested = new Promise<void>((resolve) => {
    const onSignal = (): void => {
      firstAt ??= Date.now();
      resolve();
      if (Date.now() - firstAt > SAME_SIGNAL_MS) endAtOnce();
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
    // The set-up that started this process is gone, so nobody would stop it.
    process.on('disconnect', onSignal);
  });
  return { wanted: () => firstAt !== undefined, requested };
};
