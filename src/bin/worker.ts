import { setTimeout as sleep } from 'node:timers/promises';

import { Runtime, type WorkerOptions } from '@temporalio/worker';

import { buildWorker } from '../container/worker';
import { startOperationsServer } from '../api/operations-server';
import { forAnybody } from '../config/tls.config';
import { createSdkLogger } from '../temporal/sdk-logger';
import { selectTaskQueues, startWorkers, type Workers } from '../temporal/worker';
import { bundleWorkflows } from '../temporal/workflow-bundle';

import { followCertificate } from './follow-certificate';
import { checkKeys, runProcess } from './run-process';

const RETRY_MS = 1_000;

void runProcess('worker', async (context) => {
  const { config, logger } = context;
  const sdkLogger = createSdkLogger(logger);
  Runtime.install({ logger: sdkLogger, shutdownSignals: [] });
  const { workflowBundle: codePath, taskQueues } = config.temporal.worker;
  const queues = selectTaskQueues(taskQueues);
  if (codePath === undefined && config.app.environment === 'production') {
    throw new Error('WORKFLOW_BUNDLE is required in production: bundle the workflows when you build');
  }
  const workflowBundle: WorkerOptions['workflowBundle'] =
    codePath === undefined ? { code: await bundleWorkflows(sdkLogger) } : { codePath };

  let workers: Workers | undefined;
  let stopping = false;
  const { activities, readiness, dataKeys, ensureSchedules, close } = buildWorker(
    context,
    () => workers?.isPolling() ?? false,
  );
  await checkKeys(dataKeys, logger);
  const server = await startOperationsServer({
    ...context,
    readiness,
    host: config.app.host,
    tls: forAnybody(config.tls),
    port: config.temporal.worker.metricsPort,
    portSetting: 'WORKER_METRICS_PORT',
  });
  const unfollow = followCertificate(context, server, forAnybody);

  /** Until Temporal answers; a worker that fails later ends the process, which is then started anew. */
  const poll = async (): Promise<void> => {
    while (!stopping && workers === undefined) {
      try {
        await ensureSchedules(queues);
        workers = await startWorkers({
          config: config.temporal,
          queues,
          shutdownTimeoutMs: config.app.shutdownTimeoutMs,
          workflowBundle,
          activities,
          dataKeys,
          isTraced: config.telemetry.isTraced,
        });
      } catch (error) {
        logger.warn({ err: error }, 'the workers cannot start yet');
        await sleep(RETRY_MS);
      }
    }
    await workers?.done;
  };
  void poll();

  return async () => {
    stopping = true;
    unfollow();
    readiness.beginShutdown();
    await workers?.stop();
    await close();
    await server.close(config.app.shutdownTimeoutMs);
  };
});
