import { loadConfig } from '../../../src/config/load';
import { createConsumerMetrics } from '../../../src/observability/consumer-metrics';
import { createMetrics } from '../../../src/observability/metrics';
import { createQueueConsumer } from '../../../src/queue/queue.consumer';

/** A consumer that tells what it does, and takes `SEND_MS` for a mail. */
const silent = () => undefined;
const { redis, queue } = loadConfig(['redis', 'queue']);
createQueueConsumer({
  ...queue,
  redis: redis.connection,
  logger: { info: silent, warn: silent, error: silent },
  counters: createConsumerMetrics(createMetrics().registry),
  sendWelcomeMail: async ({ userId }) => {
    process.send?.({ event: 'started', userId });
    await new Promise((resolve) => setTimeout(resolve, Number(process.env['SEND_MS'])));
    process.send?.({ event: 'done', userId });
  },
});
