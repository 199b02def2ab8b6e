import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

import { serveCalls } from './helper';

interface Request {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
}

const handlers = {
  /** Serves the empty workflow until the process is ended. */
  work: async ({ address, namespace, taskQueue }: Request): Promise<void> => {
    const logger = new DefaultLogger('ERROR');
    Runtime.install({ logger, shutdownSignals: [] });
    const workflowBundle = await bundleWorkflowCode({ workflowsPath: require.resolve('./empty-workflow'), logger });
    const worker = await Worker.create({
      connection: await NativeConnection.connect({ address }),
      namespace,
      taskQueue,
      workflowBundle,
      activities: { doNothing: () => Promise.resolve() },
    });
    worker.run().catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  },
};
export type EmptyWorkerHelper = typeof handlers;

serveCalls(handlers);
