import { setTimeout as sleep } from 'node:timers/promises';

import { listen } from '../api/server';
import { buildApi } from '../container/api';
import { startGrpcServer } from '../grpc/server';

import { followCertificate } from './follow-certificate';
import { checkKeys, runProcess } from './run-process';

void runProcess('api', async (context) => {
  const { app, grpc, dataKeys, readiness, beginShutdown, close } = buildApi(context);
  await checkKeys(dataKeys, context.logger);
  const { app: settings, tls, grpc: grpcSettings } = context.config;
  const { host, port, requestTimeoutMs, shutdownTimeoutMs, drainMs, maxBodyBytes } = settings;
  const grpcServer = await startGrpcServer({
    ...{ host, tls, config: grpcSettings, maxMessageBytes: maxBodyBytes, ...grpc },
    isReady: async () => ['ready', 'degraded'].includes((await readiness.check()).status),
  });
  const server = await listen(app, { host, port, tls, requestTimeoutMs, portSetting: 'AUTH_SERVICE_PORT' });
  const unfollow = followCertificate(context, {
    renewTls: (renewed) => {
      server.renewTls(renewed);
      grpcServer.renewTls(renewed);
    },
  });
  return async () => {
    unfollow();
    beginShutdown();
    await Promise.all([
      server.close(shutdownTimeoutMs, { drainMs }),
      sleep(drainMs).then(() => grpcServer.close(shutdownTimeoutMs)),
    ]);
    await close();
  };
});
