import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { DefaultLogger } from '@temporalio/worker';

import { bundleWorkflows } from '../src/temporal/workflow-bundle';

import { DIST_DIR } from './project';

const BUNDLE = join(DIST_DIR, 'workflow-bundle.js');

/** Bundles the compiled workflows for the sandbox, so that a worker need not do it when it starts. */
const main = async (): Promise<void> => {
  const code = await bundleWorkflows(new DefaultLogger('WARN'));
  await writeFile(`${BUNDLE}.new`, code);
  await rename(`${BUNDLE}.new`, BUNDLE);
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
