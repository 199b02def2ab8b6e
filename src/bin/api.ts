import { listen } from '../api/server';
import { buildApi } from '../container/api';

import { checkKeys, runProcess } from './run-process';

void runProcess('api', async (context) => {
  const { app, readiness, dataKeys, close } = buildApi(context);
  await checkKeys(dataKeys, context.logger);
  const { host, port, requestTimeoutMs, shutdownTimeoutMs } = context.config.app;
  const server = await listen(app, { host, port, requestTimeoutMs, portSetting: 'AUTH_SERVICE_PORT' });
  return async () => {
    readiness.beginShutdown();
    await server.close(shutdownTimeoutMs);
    await close();
  };
});
