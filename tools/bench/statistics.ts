/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
};

/** The smallest value that a share (0 to 1) of all values does not exceed (nearest rank); NaN of nothing. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
};

/** What a load did in one round. */
export interface LoadResult {
  readonly seconds: number;
  /** Answers that were as expected. */
  readonly succeeded: number;
  /** Answers with 503: refused in time rather than kept waiting. */
  readonly refused: number;
  /** Everything else, by what came instead. */
  readonly failures: Readonly<Record<string, number>>;
  /** Of the answers that were as expected, milliseconds. */
  readonly latencies: readonly number[];
}

export interface LoadSummary {
  /** Successes a second: the median of the rounds. */
  readonly rate: number;
  /** Milliseconds: the medians of the rounds. */
  readonly p50: number;
  readonly p95: number;
  readonly succeeded: number;
  readonly refused: number;
  readonly failed: number;
  readonly failures: readonly string[];
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Several rounds of the same load as one figure each. */
export const summarise = (rounds: readonly LoadResult[]): LoadSummary => {
  const failures = rounds.flatMap((round) => Object.entries(round.failures));
  return {
    rate: median(rounds.map(({ succeeded, seconds }) => succeeded / seconds)),
    p50: median(rounds.map(({ latencies }) => percentile(latencies, 0.5))),
    p95: median(rounds.map(({ latencies }) => percentile(latencies, 0.95))),
    succeeded: sum(rounds.map((round) => round.succeeded)),
    refused: sum(rounds.map((round) => round.refused)),
    failed: sum(failures.map(([, count]) => count)),
    failures: [...new Set(failures.map(([what]) => what))],
  };
};
