export const median = (samples: readonly number[]): number => {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
};

/** The error function (Abramowitz and Stegun, 7.1.26), to within 1.5e-7. */
const erf = (x: number): number => {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - polynomial * Math.exp(-x * x));
};

/** Ranks from 1, ties sharing their mean; and the sum of t^3 - t over the groups of ties. */
const rank = (values: readonly number[]): { ranks: number[]; ties: number } => {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const ranks = new Array<number>(values.length);
  let ties = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && order[end]?.value === order[start]?.value) end += 1;
    for (const { index } of order.slice(start, end)) ranks[index] = (start + 1 + end) / 2;
    ties += (end - start) ** 3 - (end - start);
    start = end;
  }
  return { ranks, ties };
};

/**
 * Mann-Whitney U test, two-sided, by the normal approximation (good from some 20 samples on) with corrections for ties and
 * continuity: how probable a difference like this one is, were both samples drawn from the same distribution. Assumes
 * nothing of its form: times have long tails.
 */
export const mannWhitney = (
  left: readonly number[],
  right: readonly number[],
): { readonly u: number; readonly p: number } => {
  const [n, m] = [left.length, right.length];
  const { ranks, ties } = rank([...left, ...right]);
  const rankSum = ranks.slice(0, n).reduce((sum, value) => sum + value, 0);
  const u = rankSum - (n * (n + 1)) / 2;
  const deviation = Math.sqrt(((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1))));
  const z = Math.max(0, Math.abs(u - (n * m) / 2) - 0.5) / deviation;
  return { u, p: deviation === 0 ? 1 : 1 - erf(z / Math.SQRT2) };
};
