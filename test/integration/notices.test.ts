import { randomUUID } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';

import { loadConfig } from '../../src/config/load';
import type { Notice } from '../../src/contracts/notification-jobs';
import { createConsumerMetrics } from '../../src/observability/consumer-metrics';
import { createMetrics } from '../../src/observability/metrics';
import { createQueueConsumer } from '../../src/queue/queue.consumer';
import { createQueueProducer } from '../../src/queue/queue.producer';
import { eventually } from '../support/eventually';
import { createLineLogger } from '../support/log-lines';
import { useStack } from '../support/stack';

describe('a notice', () => {
  const stack = useStack('valkey');
  const dependencies = () => {
    const { redis, queue } = loadConfig(['redis', 'queue'], stack.env);
    return { ...queue, redis: redis.connection, logger: createLineLogger() };
  };
  const newNotice = (): Notice => ({
    eventId: randomUUID(),
    userId: randomUUID(),
    email: 'abebe@example.et',
    locale: 'am',
  });

  it('is one job per event, holds the contract and nothing else, and reaches its handler', async () => {
    const deps = dependencies();
    const [producer, raw] = [
      createQueueProducer(deps),
      new Queue('notifications', { connection: deps.redis, prefix: deps.prefix }),
    ];
    const received: Notice[] = [];
    const notice = newNotice();
    const jobId = `password-changed-${notice.eventId}`;
    const add = () => producer.addNotice('password:changed', notice);
    const closers: (() => Promise<unknown>)[] = [() => producer.close(), () => raw.close()];
    try {
      await eventually('Redis', () => producer.isReady());
      expect(new Set(await Promise.all(Array.from({ length: 20 }, add)))).toEqual(new Set([jobId]));
      const job = await raw.getJob(jobId);
      expect({ name: job?.name, data: job?.data as unknown, attempts: job?.opts.attempts }).toEqual({
        name: 'password:changed',
        data: notice,
        attempts: 8,
      });

      const consumer = createQueueConsumer({
        ...deps,
        counters: createConsumerMetrics(createMetrics().registry),
        sendWelcomeMail: () => Promise.reject(new Error('not this one')),
        notices: {
          'password:changed': (given) => {
            received.push(given);
            return Promise.resolve();
          },
        },
      });
      closers.unshift(() => consumer.close(5_000));
      await eventually('the notice', async () => (await raw.getCompletedCount()) === 1);
      await add();
      expect(await raw.getJobCounts('waiting', 'completed')).toEqual({ waiting: 0, completed: 1 });
      expect(received).toEqual([notice]);
    } finally {
      for (const close of closers) await close();
    }
  });

  it('that is not what the contract says is refused before anything is stored', async () => {
    const deps = dependencies();
    const producer = createQueueProducer(deps);
    try {
      for (const wrong of [{ eventId: 'x' }, { email: 'abebe' }, { password: 'never' }]) {
        const notice = { ...newNotice(), ...wrong };
        await expect(producer.addNotice('password:changed', notice)).rejects.toThrow(
          expect.objectContaining({ name: 'ZodError' }),
        );
      }
    } finally {
      await producer.close();
    }
  });
});
