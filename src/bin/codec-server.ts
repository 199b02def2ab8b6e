import { listen } from '../api/server';
import { forAnybody } from '../config/tls.config';
import { buildCodec } from '../container/codec';

import { followCertificate } from './follow-certificate';
import { checkKeys, runProcess } from './run-process';

void runProcess('codec-server', async (context) => {
  const { config, logger } = context;
  const { codecServer } = config.temporal;
  const { app, readiness, dataKeys, close } = buildCodec(context);
  await checkKeys(dataKeys, logger);
  const { host, requestTimeoutMs, shutdownTimeoutMs } = config.app;
  const server = await listen(app, {
    ...{ host, port: codecServer.port, tls: forAnybody(config.tls), requestTimeoutMs },
    portSetting: 'CODEC_SERVER_PORT',
  });
  const unfollow = followCertificate(context, server, forAnybody);
  logger.info({ url: codecServer.url, origins: codecServer.origins }, 'decoding for the Temporal UI');
  return async () => {
    unfollow();
    readiness.beginShutdown();
    await server.close(shutdownTimeoutMs);
    await close();
  };
});
