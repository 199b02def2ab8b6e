import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { Queue } from 'bullmq';
import express, { type RequestHandler } from 'express';

import { loadConfig } from '../src/config/load';
import { NOTIFICATIONS_QUEUE } from '../src/contracts/notification-jobs';

/**
 * The jobs of the notifications queue in a browser, on loopback, for the embedded stack: jobs hold e-mail addresses in the clear. In
 * production `npm run dead-letters` does what an operator needs.
 */
const main = (): void => {
  const port = Number(process.argv[2]);
  const { connection } = loadConfig(['redis']).redis;
  const prefix = process.env['QUEUE_PREFIX'] ?? 'meqenet:auth';
  const queue = new Queue(NOTIFICATIONS_QUEUE, { connection, prefix, skipVersionCheck: true });
  // Redis is away; the board shows it when it is asked.
  queue.on('error', () => undefined);
  const adapter = new ExpressAdapter();
  createBullBoard({ queues: [new BullMQAdapter(queue)], serverAdapter: adapter });
  const server = express()
    .use('/', adapter.getRouter() as RequestHandler)
    .listen(port, '127.0.0.1');
  process.once('SIGTERM', () => {
    server.close();
    server.closeAllConnections();
    const end = (): never => process.exit(0);
    queue.close().then(end, end);
  });
};

main();
