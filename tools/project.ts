import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nearest folder above with a manifest: these files run from `tools/` under Jest and from `dist/tools/` otherwise. */
const findRoot = (folder: string): string =>
  existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder));

export const PROJECT_ROOT = findRoot(__dirname);

/** Everything that set-up and the embedded stack keep on this machine. */
export const STATE_DIR = join(PROJECT_ROOT, '.meqenet');
export const MIGRATIONS_DIR = join(PROJECT_ROOT, 'prisma', 'migrations');
export const DIST_DIR = join(PROJECT_ROOT, 'dist');

/** By which tools/setup knows that `dist` is up to date. */
export const BUILD_STAMPS = ['compile', 'workflow bundle'].map((step) => join(STATE_DIR, 'stamps', step));

/** Where `npm start` keeps what it needs. */
export const DATA_DIR = join(STATE_DIR, 'data');
export const LOG_DIR = join(STATE_DIR, 'logs');
export const SECRETS_FILE = join(STATE_DIR, 'secrets.env');
export const STACK_FILE = join(STATE_DIR, 'stack.json');
