/**
 * The way in to everything that a developer does: `node tools/bootstrap.mjs <command> [arguments]`, or `npm run ...`.
 * Needs only Node, npm and Python; makes ready what is missing or has changed, then runs the command.
 */
import { existsSync } from 'node:fs';

import { checkMachine } from './setup/machine.mjs';
import { inProject } from './setup/paths.mjs';
import { runOnTerminal } from './setup/run.mjs';
import { readStamp, writeStamp } from './setup/stamp.mjs';
import { ALL_STEPS, BUILD_STEPS, CLIENT_STEPS, FUZZ_STEPS, TEST_STEPS } from './setup/steps.mjs';

const runTool = (name, args) => runOnTerminal([inProject('dist', 'tools', `${name}.js`), ...args]);

/** `test unit ...` is short for `--selectProjects unit`; all else goes to Jest as it is. */
const PROJECTS = ['unit', 'integration', 'e2e', 'replay'];
const runTests = ([first, ...rest]) => {
  // Last, because Jest would take the paths of tests after it for more projects.
  const args = PROJECTS.includes(first) ? [...rest, '--selectProjects', first] : [first, ...rest].filter(Boolean);
  return runOnTerminal([inProject('node_modules', 'jest', 'bin', 'jest.js'), ...args], { NODE_ENV: 'test' });
};

const COMMANDS = {
  setup: { steps: ALL_STEPS, run: () => 0 },
  build: { steps: BUILD_STEPS, run: () => 0 },
  start: { steps: ALL_STEPS, run: (args) => runTool('start', args) },
  dev: { steps: ALL_STEPS, run: (args) => runTool('dev', args) },
  bench: { steps: ALL_STEPS, run: (args) => runTool('bench', args) },
  test: { steps: TEST_STEPS, run: runTests },
  'clients:build': { steps: CLIENT_STEPS, run: () => 0 },
  'clients:generate': {
    steps: CLIENT_STEPS,
    run: (args) => runOnTerminal([inProject('tools', 'clients', 'generate.mjs'), ...args]),
  },
  fuzz: {
    steps: FUZZ_STEPS,
    run: (args) =>
      runOnTerminal([
        '--require',
        inProject('tools', 'register-swc.cjs'),
        inProject('test', 'fuzz', 'run.ts'),
        ...args,
      ]),
  },
  reset: { steps: BUILD_STEPS, run: (args) => runTool('reset', args) },
  'keys:rotate': { steps: BUILD_STEPS, run: (args) => runTool('keys-rotate', args) },
  'keys:rewrap': { steps: BUILD_STEPS, run: (args) => runTool('keys-rewrap', args) },
  'keys:backup': { steps: BUILD_STEPS, run: (args) => runTool('keys-backup', args) },
  'keys:restore': { steps: BUILD_STEPS, run: (args) => runTool('keys-restore', args) },
  'admin:grant': { steps: BUILD_STEPS, run: (args) => runTool('admin-grant', args) },
  'audit:verify': { steps: BUILD_STEPS, run: (args) => runTool('audit-verify', args) },
  'dead-letters': { steps: BUILD_STEPS, run: (args) => runTool('dead-letters', args) },
};

const seconds = (begin) => `${((Date.now() - begin) / 1000).toFixed(1)} s`;

const makeReady = async (step) => {
  const begin = Date.now();
  const hash = step.inputs();
  if (readStamp(step.name) === hash && step.outputs.every((path) => existsSync(path))) {
    console.log(`  ${step.name.padEnd(30)} up to date`);
    return;
  }
  process.stdout.write(`  ${step.name.padEnd(30)} `);
  try {
    await step.run();
  } catch (error) {
    console.log('failed');
    throw error;
  }
  writeStamp(step.name, hash);
  console.log(seconds(begin));
};

const main = async () => {
  const [name, ...given] = process.argv.slice(2);
  // npm takes the `--` before arguments away, pnpm passes it on.
  const args = given[0] === '--' ? given.slice(1) : given;
  const command = COMMANDS[name];
  if (command === undefined)
    throw new Error(`Usage: node tools/bootstrap.mjs ${Object.keys(COMMANDS).join('|')} [arguments]`);
  const begin = Date.now();
  checkMachine();
  console.log('Set-up');
  for (const step of command.steps) await makeReady(step);
  console.log(`  ${'ready'.padEnd(30)} ${seconds(begin)}`);
  return command.run(args);
};

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
