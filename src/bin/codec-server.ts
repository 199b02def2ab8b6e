import { listen } from '../api/server';
import { buildCodec } from '../container/codec';
import { createCodecServer } from '../temporal/codec-server';
import { createPayloadCodec } from '../temporal/payload-codec';

import { checkKeys, runProcess } from './run-process';

/** Whoever reaches this server reads everything, so it is for one's own machine only until it knows who asks. */
const LOOPBACK = '127.0.0.1';

void runProcess('codec-server', async (context) => {
  const { config, logger } = context;
  if (config.app.environment === 'production') {
    throw new Error('The codec server does not ask who its callers are yet: it must not run in production');
  }
  const { codecServer } = config.temporal;
  const { dataKeys, close } = buildCodec(context);
  await checkKeys(dataKeys, logger);
  const app = createCodecServer(createPayloadCodec(dataKeys), codecServer.origins);
  const server = await listen(app, {
    host: LOOPBACK,
    port: codecServer.port,
    requestTimeoutMs: config.app.requestTimeoutMs,
    portSetting: 'CODEC_SERVER_PORT',
  });
  logger.info({ origins: codecServer.origins }, 'decoding for the Temporal UI');
  return async () => {
    await server.close(config.app.shutdownTimeoutMs);
    await close();
  };
});
