/**
 * What has changed in the API since its last release (`docs/api/released.json`), as oasdiff sees it:
 *
 *   npm run openapi:changes [-- --release]
 *
 * Fails for a change that breaks clients and is not acknowledged (`docs/api/acknowledged.txt`), and for one that
 * `docs/api/CHANGELOG.md` does not tell of. With `--release` the document of now becomes the released one.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { API_DOCS, OPENAPI_JSON } from './openapi';
import { STATE_DIR } from './project';

export const OASDIFF = join(STATE_DIR, 'bin', 'oasdiff');
export const RELEASED_JSON = join(API_DOCS, 'released.json');
export const ACKNOWLEDGED = join(API_DOCS, 'acknowledged.txt');
export const API_CHANGELOG = join(API_DOCS, 'CHANGELOG.md');

/** One change as oasdiff tells it. */
export interface ApiChange {
  readonly id: string;
  /** What has changed, in words. */
  readonly text: string;
  /** 1: information; 2: may break a client; 3: breaks clients. */
  readonly level: number;
  readonly operation?: string;
  readonly path?: string;
}

const BREAKS = 2;
/** What is said of a change that concerns every operation. */
const MAX_OUTPUT_BYTES = 256 * 1_048_576;

const oasdiff = (command: string, files: readonly string[], options: readonly string[]): ApiChange[] => {
  const text = execFileSync(OASDIFF, [command, ...files, '--format', 'json', ...options], {
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return JSON.parse(text) as ApiChange[];
};

/**
 * Codes of problems may become more: clients are told so, and oasdiff cannot be, but by a schema that names none of them. Told with
 * every operation, a new one is one change.
 */
const NEW_CODE =
  /^added the new `(\w+)` enum value to the `code` response property for the response status `[45]\d\d`$/;
const newCodeOf = ({ text }: ApiChange): string | undefined => NEW_CODE.exec(text)?.[1];

/** Every change from one document to another. */
export const changesBetween = (before: string, after: string): ApiChange[] =>
  // Examples and texts are for people; no client depends on them.
  oasdiff('changelog', [before, after], []).filter(({ operation }) => operation !== undefined);

/** Changes that break clients, or may, without those that the file acknowledges. */
export const breakingChanges = (before: string, after: string, acknowledged = ACKNOWLEDGED): ApiChange[] =>
  oasdiff('breaking', [before, after], ['--err-ignore', acknowledged, '--warn-ignore', acknowledged]).filter(
    (change) => change.level >= BREAKS && newCodeOf(change) === undefined,
  );

const nameOf = ({ operation = '', path = '' }: ApiChange): string => `${operation} ${path}`;

/** As it is acknowledged: one such line for each change. */
export const acknowledgementOf = (change: ApiChange): string => `${nameOf(change)} ${change.text}`;

/** What stands in a change log before its first release. */
const unreleased = (changelog: string): string =>
  /^## Unreleased$(.*?)(?=^## |$(?![\s\S]))/ms.exec(changelog)?.[1] ?? '';

/** Operations that have changed, and new codes, of which the change log does not tell. */
export const untold = (changes: readonly ApiChange[], changelog: string): string[] => {
  const told = unreleased(changelog);
  return [...new Set(changes.map((change) => newCodeOf(change) ?? nameOf(change)))].filter(
    (name) => !told.includes(`\`${name}\``),
  );
};

const check = (): readonly string[] => {
  const breaking = breakingChanges(RELEASED_JSON, OPENAPI_JSON);
  const missing = untold(changesBetween(RELEASED_JSON, OPENAPI_JSON), readFileSync(API_CHANGELOG, 'utf8'));
  return [
    ...breaking.map((change) => `Breaks clients: ${acknowledgementOf(change)}`),
    ...missing.map((name) => `Not in docs/api/CHANGELOG.md under "Unreleased": \`${name}\``),
  ];
};

/** Without spaces: it is read by programs alone, and is large. */
const release = (): void => {
  writeFileSync(RELEASED_JSON, `${JSON.stringify(JSON.parse(readFileSync(OPENAPI_JSON, 'utf8')))}\n`);
  console.log('The document of now is the released one. Name the release in docs/api/CHANGELOG.md');
};

const main = (args: readonly string[]): void => {
  if (args.includes('--release')) return release();
  if (!existsSync(OASDIFF)) throw new Error('oasdiff is not here: it is built with Go by the set-up of `npm test`');
  const problems = check();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
};

if (require.main === module) main(process.argv.slice(2));
