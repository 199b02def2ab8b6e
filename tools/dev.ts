import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';

import { compileFiles } from './dev/compiler';
import { watchSources } from './dev/watcher';
import { type Environment, killEverything, startEnvironment } from './environment';
import { listenForInterruption } from './interrupt';
import { BUILD_STAMPS, DIST_DIR, LOG_DIR, PROJECT_ROOT } from './project';
import { done, failure, notice, showAddresses, title } from './terminal';

const run = promisify(execFile);

/** What the workflow bundle is made of: workflows may import nothing else of the project. */
const BUNDLED = ['src/workflows', 'src/contracts'].map((folder) => join(PROJECT_ROOT, folder) + sep);
const SERVICE = join(PROJECT_ROOT, 'src') + sep;

/** What is built from here on is not what the set-up remembers, so the next command builds anew. */
const forgetBuild = (): void => {
  for (const stamp of BUILD_STAMPS) rmSync(stamp, { force: true });
};

const timed = async (what: string, act: () => Promise<unknown>): Promise<void> => {
  const begin = Date.now();
  await act();
  done(what, Date.now() - begin);
};

/** Compiles what changed and restarts the service with it; when that fails, what ran before goes on. */
const apply = async ({ processes }: Environment, files: readonly string[]): Promise<boolean> => {
  title(`Changed: ${files.map((file) => relative(PROJECT_ROOT, file)).join(', ')}`);
  try {
    await timed('compiled', () => compileFiles(files));
    if (files.some((file) => BUNDLED.some((folder) => file.startsWith(folder)))) {
      await timed('workflow bundle', () => run(process.execPath, [join(DIST_DIR, 'tools', 'build-workflows.js')]));
    }
    if (files.some((file) => file.startsWith(SERVICE))) {
      await timed('restarted', () => Promise.all(Object.values(processes).map((part) => part.restart())));
    } else {
      notice('The tools changed; those that run now go on as they are.');
    }
    return true;
  } catch (error) {
    failure(error);
    return false;
  }
};

/** `npm run dev`: the stack and the service, which is built and restarted whenever its source changes. */
const main = async (): Promise<void> => {
  const interruption = listenForInterruption(() => {
    killEverything();
    process.exit(130);
  });
  const environment = await startEnvironment(interruption.wanted);
  forgetBuild();
  showAddresses({ ...environment.addresses, logs: LOG_DIR });
  const folders = ['src', 'tools'].map((folder) => join(PROJECT_ROOT, folder));
  const stopWatching = watchSources(folders, (files) => apply(environment, files));
  console.log('\nWatching src and tools. Ctrl-C stops everything.');
  await interruption.requested;
  console.log('\nStopping ...');
  await stopWatching();
  await environment.stop();
};

main().then(
  () => process.exit(0),
  (error: unknown) => {
    failure(error);
    process.exit(1);
  },
);
