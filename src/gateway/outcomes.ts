/** Share of the newest outcome in the average. */
const WEIGHT = 0.1;
/** Before so many outcomes nothing can be said. */
const ENOUGH = 20;
/** Worse than this is an outlier while others are better than {@link GOOD}. */
const BAD = 0.5;
const GOOD = 0.25;
/** The first time; each further one takes longer, milliseconds. */
const EJECTION_MS = 10_000;
const MAX_EJECTION_MS = 300_000;

/** How one upstream answers, by its last few dozen answers. */
export interface Outcomes {
  readonly note: (failed: boolean) => void;
  readonly isBad: () => boolean;
  readonly isGood: () => boolean;
  readonly isEjected: () => boolean;
  /** Gets nothing for a while. */
  readonly eject: () => void;
}

export const createOutcomes = (now: () => number = () => performance.now()): Outcomes => {
  let [rate, count, ejections, ejectedUntil] = [0, 0, 0, -Infinity];
  return {
    note: (failed) => {
      rate += WEIGHT * ((failed ? 1 : 0) - rate);
      count += 1;
      if (!failed && count > ENOUGH * 10) ejections = 0;
    },
    isBad: () => count >= ENOUGH && rate > BAD,
    isGood: () => rate < GOOD,
    isEjected: () => now() < ejectedUntil,
    eject: () => {
      ejections += 1;
      ejectedUntil = now() + Math.min(EJECTION_MS * ejections, MAX_EJECTION_MS);
      [rate, count] = [0, 0];
    },
  };
};
