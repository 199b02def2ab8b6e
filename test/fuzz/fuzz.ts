import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PROJECT_ROOT } from '../../tools/project';
import type { TestService } from '../support/start-test-service';

import { openTokenDesk, type Who } from './token-desk';

export interface FuzzOptions {
  /** Address of the door: API or gateway. */
  readonly url: string;
  readonly who: Who;
  /** Cases of random data for each operation; the systematic ones of the other phases come on top. */
  readonly examples: number;
  /** No new cases after so many seconds. */
  readonly seconds?: number;
  readonly phases?: string;
  /** One unless told otherwise: with more, Python 3.11 may break in its own parser (cpython#106905). */
  readonly workers?: number;
  readonly seed?: number;
  /** Further options of `schemathesis run`. */
  readonly args?: readonly string[];
  /** Where the full report goes; dropped without it. */
  readonly reportDir?: string;
  readonly onOutput?: (text: string) => void;
}

export interface FuzzResult {
  readonly exitCode: number | null;
  /** Everything that schemathesis said. */
  readonly output: string;
  /** Requests that were sent and checked. */
  readonly cases: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

export const SCHEMATHESIS = join(PROJECT_ROOT, '.meqenet', 'fuzz-venv', 'bin', 'schemathesis');

/** Counts the cases and the statuses of their answers in the event log. */
const readEvents = async (file: string): Promise<Pick<FuzzResult, 'cases' | 'statuses'>> => {
  const statuses: Record<string, number> = {};
  const text = await readFile(file, 'utf8').catch(() => '');
  for (const [, status = ''] of text.matchAll(/"status_code":\s*(\d{3})/g))
    statuses[status] = (statuses[status] ?? 0) + 1;
  return { cases: Object.values(statuses).reduce((sum, count) => sum + count, 0), statuses };
};

const run = (args: readonly string[], cwd: string, env: NodeJS.ProcessEnv, onOutput: (text: string) => void) =>
  new Promise<number | null>((resolve, reject) => {
    const child = spawn(SCHEMATHESIS, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => onOutput(chunk.toString()));
    child.once('error', reject);
    child.once('close', resolve);
  });

/** Sends what schemathesis makes of the document of a door, as one kind of caller, every check on. */
export const fuzz = async (service: TestService, options: FuzzOptions): Promise<FuzzResult> => {
  const { url, who, examples, seconds, phases = 'examples,coverage,fuzzing,stateful', workers = 1, seed } = options;
  const folder = await mkdtemp(join(tmpdir(), 'meqenet-fuzz-'));
  const desk = await openTokenDesk(service, who);
  const events = join(options.reportDir ?? folder, `events-${who}.ndjson`);
  let output = '';
  const args = [
    ...['--config-file', join(PROJECT_ROOT, 'test', 'fuzz', 'schemathesis.toml')],
    ...['run', `${url}/api/docs/openapi.json`, '--url', url, '--checks', 'all', '--mode', 'all'],
    ...['--phases', phases, '--max-examples', String(examples), '--workers', String(workers)],
    ...['--request-timeout', '30', '--continue-on-failure', '--no-color'],
    ...['--report', 'ndjson', '--report-ndjson-path', events],
    ...(seed === undefined ? [] : ['--seed', String(seed)]),
    ...(seconds === undefined ? [] : ['--max-time', String(seconds)]),
    ...(options.args ?? []),
  ];
  const env = {
    ...process.env,
    SCHEMATHESIS_HOOKS: join(PROJECT_ROOT, 'test', 'fuzz', 'hooks.py'),
    FUZZ_DESK: desk.url,
    FUZZ_AS: who,
  };
  try {
    const exitCode = await run(args, folder, env, (text) => {
      output += text;
      options.onOutput?.(text);
    });
    return { exitCode, output, ...(await readEvents(events)) };
  } finally {
    await desk.close();
    await rm(folder, { recursive: true, force: true });
  }
};
