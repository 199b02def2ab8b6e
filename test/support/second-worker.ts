import { join } from 'node:path';

import { createProcesses, type ServiceProcess } from '../../tools/processes';
import { freePort } from '../../tools/stack/ports';

import type { TestService } from './service';

/** Another worker process on the stack of a service, such as one of a fleet of its own. */
export interface SecondWorker {
  readonly process: ServiceProcess;
}

export const startSecondWorker = async (
  { stack }: TestService,
  env: Readonly<Record<string, string>> = {},
): Promise<SecondWorker> => {
  const port = await freePort();
  const { worker } = createProcesses(
    {
      ...stack,
      logDir: join(stack.logDir, 'second'),
      ports: { ...stack.ports, workerMetrics: port },
      env: { ...stack.env, WORKER_METRICS_PORT: String(port) },
    },
    { env: { NODE_ENV: 'test', ...env } },
  );
  await worker.start();
  return { process: worker };
};
