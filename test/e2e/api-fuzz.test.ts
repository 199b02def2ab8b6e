import { existsSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';

import { fuzz, SCHEMATHESIS } from '../fuzz/fuzz';
import type { Who } from '../fuzz/token-desk';
import { fullProof, inProof } from '../support/proofs';
import { useTestService } from '../support/service';

/** The short form of `npm run fuzz`: every check of schemathesis, with other data in every run. */
const SECONDS = inProof(12, 7);
const MIN_CASES = 100;
const TIMEOUT_MS = 240_000;

/** Where Python is older than 3.11 there is no schemathesis, and its tests are skipped by name. */
const hasSchemathesis = existsSync(SCHEMATHESIS);

describe('whatever is sent, each door answers as its document says (schemathesis, Python 3.11)', () => {
  const service = useTestService({ processes: ['api', 'worker', 'consumer', 'gateway'] });

  const holds = async (who: Who, door: 'api' | 'gateway'): Promise<void> => {
    let cases = 0;
    // How many it sends in its time is up to the machine: a slow one takes more rounds.
    while (cases <= MIN_CASES) {
      const result = await fuzz(service, { url: service[`${door}Url`], who, examples: 5, seconds: SECONDS });
      // What it found is in its words, with the request to repeat it by.
      if (result.exitCode !== 0) throw new Error(result.output);
      expect(Object.keys(result.statuses).filter((status) => status.startsWith('5'))).toEqual([]);
      cases += result.cases;
    }
  };
  (hasSchemathesis ? test : test.skip).each([
    ['nobody', 'gateway'],
    ['customer', 'api'],
    ['administrator', 'gateway'],
  ] as const)('as %s at the %s', holds, TIMEOUT_MS);
  (hasSchemathesis ? fullProof : test.skip).each([
    ['nobody', 'api'],
    ['customer', 'gateway'],
    ['administrator', 'api'],
  ] as const)('as %s at the %s', holds, TIMEOUT_MS);
});
