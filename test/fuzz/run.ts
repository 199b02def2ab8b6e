/**
 * Fuzzes the whole API by its own document, on a stack of its own, until enough cases were sent:
 *
 *   npm run fuzz [-- --cases 20000 --as nobody,customer,administrator --door api,gateway --seed 1]
 *
 * Ends with 1 where a check failed. The reports are in `.meqenet/fuzz`.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { listenForInterruption } from '../../tools/interrupt';
import { PROJECT_ROOT } from '../../tools/project';
import { startTestService, type TestService } from '../support/start-test-service';

import { fuzz, type FuzzResult } from './fuzz';
import type { Who } from './token-desk';

const REPORTS = join(PROJECT_ROOT, '.meqenet', 'fuzz');

const readOptions = () => {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '20000' },
      as: { type: 'string', default: 'nobody,customer,administrator' },
      door: { type: 'string', default: 'api,gateway' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      phases: { type: 'string' },
      include: { type: 'string' },
      examples: { type: 'string', default: '30' },
      limits: { type: 'string', default: 'observe' },
    },
  });
  return {
    cases: Number(values.cases),
    examples: Number(values.examples),
    seed: Number(values.seed),
    who: values.as.split(',') as Who[],
    doors: values.door.split(','),
    limits: values.limits,
    ...(values.phases !== undefined && { phases: values.phases }),
    args: values.include === undefined ? [] : ['--include-path-regex', values.include],
  };
};
type Options = ReturnType<typeof readOptions>;

const summary = (results: readonly FuzzResult[]): string => {
  const statuses: Record<string, number> = {};
  for (const result of results)
    for (const [status, count] of Object.entries(result.statuses)) statuses[status] = (statuses[status] ?? 0) + count;
  const cases = results.reduce((sum, each) => sum + each.cases, 0);
  const failed = results.filter(({ exitCode }) => exitCode !== 0).length;
  return `${String(cases)} cases in ${String(results.length)} runs, ${String(failed)} with failures; answers by status: ${JSON.stringify(statuses)}`;
};

/** Every door as every caller, over and over with another seed, until there were enough cases or a check failed. */
const fuzzAll = async (service: TestService, options: Options): Promise<FuzzResult[]> => {
  const results: FuzzResult[] = [];
  for (let round = 0; ; round += 1) {
    for (const door of options.doors) {
      for (const who of options.who) {
        const seed = options.seed + round;
        console.log(`--- ${door} as ${who}, seed ${String(seed)}`);
        const reportDir = join(REPORTS, `${door}-${String(round)}`);
        await mkdir(reportDir, { recursive: true });
        const url = door === 'gateway' ? service.gatewayUrl : service.apiUrl;
        const onOutput = (text: string) => process.stdout.write(text);
        results.push(await fuzz(service, { ...options, url, who, seed, reportDir, onOutput }));
        console.log(summary(results));
      }
    }
    const cases = results.reduce((sum, each) => sum + each.cases, 0);
    if (cases >= options.cases || results.some(({ exitCode }) => exitCode !== 0)) return results;
  }
};

/** @returns the code to exit with */
const main = async (): Promise<number> => {
  const options = readOptions();
  const service = await startTestService({
    processes: ['api', 'worker', 'consumer', 'gateway'],
    env: { RATE_LIMIT_MODE: options.limits },
  });
  // The stack must not outlive an interrupted run.
  const { requested } = listenForInterruption(() => process.exit(130));
  try {
    const results = await Promise.race([fuzzAll(service, options), requested]);
    if (results === undefined) return 130;
    return results.some(({ exitCode }) => exitCode !== 0) ? 1 : 0;
  } finally {
    await service.stop();
  }
};

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
