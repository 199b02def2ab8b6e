import { listen } from '../api/server';
import { buildApi } from '../container/api';

import { followCertificate } from './follow-certificate';
import { checkKeys, runProcess } from './run-process';

void runProcess('api', async (context) => {
  const { app, readiness, dataKeys, close } = buildApi(context);
  await checkKeys(dataKeys, context.logger);
  const { host, port, tls, requestTimeoutMs, shutdownTimeoutMs } = context.config.app;
  const server = await listen(app, { host, port, tls, requestTimeoutMs, portSetting: 'AUTH_SERVICE_PORT' });
  const unfollow = followCertificate(context, server);
  return async () => {
    unfollow();
    readiness.beginShutdown();
    await server.close(shutdownTimeoutMs);
    await close();
  };
});
