import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { loadConfig } from '../src/config/load';
import { createDeadLetters, type DeadLetters } from '../src/queue/queue.dead-letters';

import { STACK_FILE } from './project';

const USAGE = `npm run dead-letters [-- --retry <job id> | --retry-all]
  Shows the jobs of the notifications queue that failed for good, without their payloads, or gives them all their attempts
  again. Asks the Redis of REDIS_HOST and REDIS_PORT, or else the one of the running embedded stack.`;

const PAGE = 100;

const redisAddress = () => {
  if (process.env['REDIS_HOST']) return loadConfig(['redis']).redis.connection;
  const { redis } = JSON.parse(readFileSync(STACK_FILE, 'utf8')) as { redis: string };
  const [embeddedHost = '', embeddedPort] = redis.split(':');
  return { host: embeddedHost, port: Number(embeddedPort), db: 0 };
};

const show = async (deadLetters: DeadLetters): Promise<void> => {
  for (let offset = 0; ; offset += PAGE) {
    const page = await deadLetters.listFailed({ offset, limit: PAGE });
    for (const { jobId, name, attempts, failedAt, reason } of page) {
      console.log(`${failedAt?.toISOString() ?? '-'}  ${jobId}  ${name}  ${String(attempts)} attempts  ${reason}`);
    }
    if (page.length < PAGE) break;
  }
  console.log(JSON.stringify(await deadLetters.countJobs()));
};

const retryAll = async (deadLetters: DeadLetters): Promise<void> => {
  let retried = 0;
  for (;;) {
    // What is retried leaves the list, so the first page is always the next.
    const page = await deadLetters.listFailed({ limit: PAGE });
    const results = await Promise.all(page.map(({ jobId }) => deadLetters.retryFailed(jobId)));
    retried += results.filter(Boolean).length;
    if (!results.includes(true)) break;
  }
  console.log(`${String(retried)} jobs are waiting again`);
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { retry: { type: 'string' }, 'retry-all': { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const deadLetters = createDeadLetters({
    redis: redisAddress(),
    prefix: process.env['QUEUE_PREFIX'] ?? 'meqenet:auth',
    logger: { info: () => undefined, warn: console.warn, error: console.error },
  });
  try {
    if (values['retry-all']) await retryAll(deadLetters);
    else if (values.retry === undefined) await show(deadLetters);
    else if (!(await deadLetters.retryFailed(values.retry))) throw new Error(`${values.retry} is not a dead letter`);
  } finally {
    await deadLetters.close();
  }
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
