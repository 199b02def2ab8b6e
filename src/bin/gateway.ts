import { setTimeout as sleep } from 'node:timers/promises';

import { startOperationsServer } from '../api/operations-server';
import { listen } from '../api/server';
import { forAnybody } from '../config/tls.config';
import { buildGateway } from '../container/gateway';

import { followCertificate } from './follow-certificate';
import { runProcess } from './run-process';

void runProcess('gateway', async (context) => {
  const { tls } = context.config;
  const { host, requestTimeoutMs, shutdownTimeoutMs, drainMs } = context.config.app;
  const { port, metricsPort, maxConnections } = context.config.gateway;
  const { gateway, readiness, close } = await buildGateway(context);
  const server = await listen(
    { callback: () => gateway.handle },
    {
      ...{ host, port, tls, requestTimeoutMs, maxConnections, portSetting: 'API_GATEWAY_PORT' },
      requireHost: false,
      onUpgrade: gateway.upgrade,
    },
  );
  const operations = await startOperationsServer({
    ...{ ...context, readiness, host, tls: forAnybody(tls), port: metricsPort, portSetting: 'GATEWAY_METRICS_PORT' },
  });
  const unfollow = [followCertificate(context, server), followCertificate(context, operations, forAnybody)];
  return async () => {
    unfollow.forEach((stop) => stop());
    readiness.beginShutdown();
    // Not before: whoever comes back during the drain may come back here.
    await Promise.all([server.close(shutdownTimeoutMs, { drainMs }), sleep(drainMs).then(gateway.drain)]);
    await close();
    await operations.close(shutdownTimeoutMs);
  };
});
