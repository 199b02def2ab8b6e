import { buildConsumer } from '../container/consumer';
import { startOperationsServer } from '../api/operations-server';

import { runProcess } from './run-process';

void runProcess('consumer', async (context) => {
  const { config } = context;
  const { readiness, close } = buildConsumer(context);
  const server = await startOperationsServer({
    ...context,
    readiness,
    host: config.app.host,
    port: config.queue.metricsPort,
    portSetting: 'CONSUMER_METRICS_PORT',
  });
  return async () => {
    readiness.beginShutdown();
    await close();
    await server.close(config.app.shutdownTimeoutMs);
  };
});
