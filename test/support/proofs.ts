import { it } from '@jest/globals';

/**
 * For tests that prove the same once more at another place, and take long: they run with `PROOFS=full` (`npm run test:full`, and in CI).
 * `npm test` runs one of each kind, and reports these as skipped.
 */
export const fullProof = process.env['PROOFS'] === 'full' ? it : it.skip;

/** How often, or how much: `full` with `PROOFS=full`, `short` else. */
export const inProof = (full: number, short: number): number => (process.env['PROOFS'] === 'full' ? full : short);
