import { buildConsumer } from '../container/consumer';
import { startOperationsServer } from '../api/operations-server';
import { forAnybody } from '../config/tls.config';

import { followCertificate } from './follow-certificate';
import { runProcess } from './run-process';

void runProcess('consumer', async (context) => {
  const { config } = context;
  const { readiness, close } = buildConsumer(context);
  const server = await startOperationsServer({
    ...context,
    readiness,
    host: config.app.host,
    tls: forAnybody(config.tls),
    port: config.queue.metricsPort,
    portSetting: 'CONSUMER_METRICS_PORT',
  });
  const unfollow = followCertificate(context, server, forAnybody);
  return async () => {
    unfollow();
    readiness.beginShutdown();
    await close();
    await server.close(config.app.shutdownTimeoutMs);
  };
});
