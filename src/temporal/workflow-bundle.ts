import { bundleWorkflowCode, type Logger } from '@temporalio/worker';

import { FAILURE_CONVERTER_PATH } from './data-converter';

/** Bundles all workflows into one script for the sandbox; done at build time, so that a worker starts fast. */
export const bundleWorkflows = async (logger: Logger): Promise<string> => {
  const { code } = await bundleWorkflowCode({
    workflowsPath: require.resolve('../workflows'),
    failureConverterPath: FAILURE_CONVERTER_PATH,
    workflowInterceptorModules: [require.resolve('../workflows/trace-header')],
    logger,
  });
  return code;
};
