import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { findPython } from './machine.mjs';
import { inProject } from './paths.mjs';
import { run, runWithRetry } from './run.mjs';

/**
 * Builds the example of each client as a stranger would: from the package, in a folder of its own. A toolchain that is not on
 * the machine, or whose packages cannot be had, leaves `<language>.missing` with the reason, and its test is skipped by name;
 * code that does not compile is an error.
 */

export const CLIENTS_DIR = inProject('.meqenet', 'clients');
const inClients = (...parts) => join(CLIENTS_DIR, ...parts);
const sources = (...parts) => inProject('clients', ...parts);

const PYTHON_VENV = inClients('python');
export const PYTHON = join(PYTHON_VENV, 'bin', 'python');
export const GO_BIN = inClients('go', 'bin');
const GO_PLUGINS = [
  'google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12',
  'google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2',
];
const NPM = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];

/** There when each client was built, or its toolchain is not on the machine. */
export const CLIENTS_BUILT = inClients('built');
const RETRY = 'skipped: no packages';

class Missing extends Error {
  constructor(message, isForNow = false) {
    super(message);
    this.isForNow = isForNow;
  }
}

const onPath = (command) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, command)));
/** Never another one than is installed: Go would fetch a toolchain. */
const GO_ENV = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', GOBIN: GO_BIN };
export const hasGo = () => onPath('go');
export const hasMaven = () => onPath('javac') && onPath('mvn');

/** What only fetches: its failure says something of the network, not of the code. */
const fetching = async (...command) => {
  try {
    await runWithRetry(...command);
  } catch (error) {
    throw new Missing(`its packages cannot be had (${error.message.split('\n')[0]})`, true);
  }
};

const buildPython = async () => {
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--quiet'];
  await run(findPython(), ['-m', 'venv', '--clear', PYTHON_VENV]);
  const requirements = [
    '--require-hashes',
    '--only-binary',
    ':all:',
    '-r',
    inProject('tools', 'requirements-clients.txt'),
  ];
  await fetching(PYTHON, [...pip, ...requirements]);
  // pip builds in the folder of the package.
  const copy = inClients('python-source');
  rmSync(copy, { recursive: true, force: true });
  cpSync(sources('python'), copy, { recursive: true, filter: (path) => !path.includes('__pycache__') });
  await run(PYTHON, [...pip, '--no-deps', '--no-build-isolation', '--no-index', copy]);
};

const buildGo = async () => {
  if (!hasGo()) throw new Missing('there is no go');
  const options = { cwd: sources('go'), env: GO_ENV };
  for (const plugin of GO_PLUGINS) await fetching('go', ['install', plugin], { env: { ...GO_ENV, GOFLAGS: '' } });
  await fetching('go', ['mod', 'download'], options);
  await run('go', ['vet', './...'], options);
  await run('go', ['build', '-trimpath', '-o', join(GO_BIN, 'session'), './examples/session'], options);
};

const buildJava = async () => {
  if (!hasMaven()) throw new Missing('there is no Java 17 compiler with Maven');
  const maven = ['--batch-mode', '--no-transfer-progress', '--quiet', '-f', sources('java', 'pom.xml')];
  try {
    await run('mvn', [...maven, `-DbuildDirectory=${inClients('java')}`, 'package']);
  } catch (error) {
    const offline = /Could not (?:transfer|find) artifact|Unknown host|Non-resolvable|could not be resolved/.exec(
      error.message,
    );
    if (offline === null) throw error;
    throw new Missing(`its packages cannot be had (${offline[0]})`, true);
  }
};

const TYPESCRIPT_PACKAGES = ['typescript', 'typescript-edge', 'typescript-http'];

/** Compiled and packed as it would be published; the archive's path. */
const packTypescript = async (name) => {
  const folder = inClients('typescript', name);
  await run('npm', ['run', 'build', '--silent', '--', '--outDir', join(folder, 'dist')], { cwd: sources(name) });
  for (const file of ['package.json', 'README.md']) cpSync(sources(name, file), join(folder, file));
  await run('npm', ['pack', '--ignore-scripts', '--silent', `--pack-destination=${inClients('typescript')}`], {
    cwd: folder,
  });
  const { name: packageName, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return inClients('typescript', `${packageName.replace('@', '').replace('/', '-')}-${version}.tgz`);
};

/** What the text before a README's code would have made. */
const README_GLOBALS = `
  declare const accessToken: string, address: string, serviceToken: string;
  declare const ca: Buffer;
  declare const readFileSync: typeof import('node:fs').readFileSync;
  declare const connect: typeof import('@meqenet/auth-client').connect;
  declare const app: import('koa');
  declare const logger: { info(event: object): void };
`;

/** What a README shows, each piece a module: whoever copies it must be able to compile it. */
const readmeCode = (name) =>
  [...readFileSync(sources(name, 'README.md'), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(([, code], index) => [
    `readme-${name}-${index}.mts`,
    `${code}export {};\n`,
  ]);

const buildTypescript = async () => {
  const consumer = inClients('typescript', 'consumer');
  mkdirSync(consumer, { recursive: true });
  const archives = [];
  for (const name of TYPESCRIPT_PACKAGES) archives.push(await packTypescript(name));
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  await fetching('npm', ['install', ...NPM, ...archives], { cwd: consumer });
  cpSync(sources('typescript', 'examples', 'session.ts'), join(consumer, 'session.ts'));
  const shown = [['readme.d.ts', README_GLOBALS], ...TYPESCRIPT_PACKAGES.flatMap(readmeCode)];
  for (const [file, code] of shown) writeFileSync(join(consumer, file), code);
  const compilerOptions = { strict: true, module: 'node16', target: 'es2022', types: ['node'] };
  const files = ['session.ts', ...shown.map(([file]) => file)];
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  await run(process.execPath, [inProject('node_modules', 'typescript', 'bin', 'tsc'), '-p', consumer]);
};

const LANGUAGES = { typescript: buildTypescript, go: buildGo, python: buildPython, java: buildJava };

const build = async ([language, make]) => {
  const begin = Date.now();
  const note = inClients(`${language}.missing`);
  // A build that fails must not leave the one of before.
  rmSync(inClients(language), { recursive: true, force: true });
  rmSync(note, { force: true });
  try {
    await make();
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    writeFileSync(note, error.message);
    return `${language} ${error.isForNow ? RETRY : 'skipped: no toolchain'}`;
  }
  return `${language} ${((Date.now() - begin) / 1000).toFixed(0)} s`;
};

/** All at once: each mostly waits for its registry. */
export const buildClients = async () => {
  mkdirSync(CLIENTS_DIR, { recursive: true });
  rmSync(CLIENTS_BUILT, { force: true });
  const done = await Promise.allSettled(Object.entries(LANGUAGES).map(build));
  const failed = done.find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  // Where a registry did not answer it is tried again next time.
  if (!done.some(({ value }) => value.endsWith(RETRY))) writeFileSync(CLIENTS_BUILT, '');
  process.stdout.write(`(${done.map(({ value }) => value).join(', ')}) `);
};
