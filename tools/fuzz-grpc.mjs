/** The fuzz of gRPC at any length: `npm run fuzz:grpc -- --cases 20000`. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { cases: { type: 'string', default: '20000' } } });
const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
const { status } = spawnSync(
  process.execPath,
  [jest, '--selectProjects=e2e', '--testPathPatterns', 'test/e2e/grpc-fuzz.test'],
  { cwd: ROOT, stdio: 'inherit', env: { ...process.env, NODE_ENV: 'test', GRPC_FUZZ_CASES: values.cases } },
);
process.exitCode = status ?? 1;
