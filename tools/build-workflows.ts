import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

import { DIST_DIR } from './project';

const BUNDLE = join(DIST_DIR, 'workflow-bundle.js');

/** Bundles the compiled workflows for the sandbox, so that a worker need not do it when it starts. */
const main = async (): Promise<void> => {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(DIST_DIR, 'src', 'workflows', 'index.js'),
    logger: new DefaultLogger('WARN'),
  });
  await writeFile(`${BUNDLE}.new`, code);
  await rename(`${BUNDLE}.new`, BUNDLE);
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
