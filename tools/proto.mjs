/**
 * The contract of gRPC is kept: `node tools/proto.mjs check|accept [--breaking] [--folder DIR]`.
 *
 * `check` fails for what buf's rules do not allow, for other formatting than buf's, for changes that break a client of the accepted
 * contract (`proto/baseline.binpb`), and for changes that nobody has accepted yet. `accept` makes the contract of now the accepted one;
 * one that breaks clients only with `--breaking`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..');
const BUF = join(ROOT, 'node_modules', '@bufbuild', 'buf', 'bin', 'buf');
const BASELINE = 'baseline.binpb';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { breaking: { type: 'boolean' }, folder: { type: 'string', default: join(ROOT, 'proto') } },
});

/** @returns whether it succeeded; what it says goes to the terminal */
const buf = (...args) =>
  spawnSync(process.execPath, [BUF, ...args], { cwd: values.folder, stdio: 'inherit' }).status === 0;

/** Without comments and places in the file, so that it changes with the contract alone. */
const build = (path) => buf('build', '--exclude-source-info', '-o', path);
const breaksNothing = () => buf('breaking', '--against', BASELINE);

const isAccepted = () => {
  const folder = mkdtempSync(join(tmpdir(), 'meqenet-proto-'));
  try {
    const path = join(folder, BASELINE);
    return build(path) && readFileSync(path).equals(readFileSync(join(values.folder, BASELINE)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** The first thing that is wrong, by what is to be done about it. */
const check = () => {
  if (!buf('lint')) return 'The contract does not follow the rules of proto/buf.yaml';
  if (!buf('format', '--diff', '--exit-code')) return 'Format it: npx buf format --write (in proto)';
  if (!breaksNothing())
    return 'It breaks clients. Keep old fields and add new ones; at a new major version: npm run proto:accept -- --breaking';
  if (!isAccepted()) return 'The contract has changed, and breaks nothing. Accept it: npm run proto:accept';
  return undefined;
};

const accept = () => {
  if (!values.breaking && !breaksNothing())
    return 'It breaks clients, so it was not accepted (--breaking accepts it all the same)';
  return build(BASELINE) ? undefined : 'It cannot be built';
};

const command = { check, accept }[positionals[0]];
const trouble =
  command === undefined ? 'Usage: node tools/proto.mjs check|accept [--breaking] [--folder DIR]' : command();
if (trouble !== undefined) {
  console.error(trouble);
  process.exitCode = 1;
}
