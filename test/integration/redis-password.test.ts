import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';

import { loadConfig } from '../../src/config/load';
import { createQueueConsumer } from '../../src/queue/queue.consumer';
import { createQueueProducer } from '../../src/queue/queue.producer';
import { createCountingConnection } from '../../src/redis/connection';
import { eventually } from '../support/eventually';
import { useStack } from '../support/stack';

const OLD = 'the-password-of-before';
const NEW = 'the-password-of-now';
const stack = useStack('valkey');
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const counter = { inc: () => undefined };

let admin: Redis;
beforeAll(async () => {
  const { host, port } = loadConfig(['redis'], stack.env).redis.connection;
  admin = new Redis({ host, port });
  await admin.call('ACL', 'SETUSER', 'auth', 'on', `>${OLD}`, '~*', '&*', '+@all');
});
afterAll(() => {
  admin.disconnect();
});

it('a rotated password of Redis is used by every connection that is made anew', async () => {
  const { connection, queue } = (() => {
    const config = loadConfig(['redis', 'queue'], {
      ...stack.env,
      REDIS_USERNAME: 'auth',
      REDIS_PASSWORD: OLD,
    });
    return {
      connection: config.redis.connection as { password?: string } & typeof config.redis.connection,
      queue: config.queue,
    };
  })();
  const done: string[] = [];
  const producer = createQueueProducer({ ...queue, redis: connection, logger: silent });
  const consumer = createQueueConsumer({
    ...queue,
    redis: connection,
    logger: silent,
    counters: { completed: counter, failed: counter, deadLettered: counter, stalled: counter },
    sendWelcomeMail: ({ userId }) => Promise.resolve(done.push(userId)),
  });
  const limits = createCountingConnection(connection, 2_000);
  const welcome = async (userId: string): Promise<void> => {
    await eventually('the job to be added', () => producer.addUserRegisteredJob(userId, 'a@example.et', 'en'));
    await eventually('the job to be done', () => Promise.resolve(done.includes(userId)));
  };
  try {
    await welcome('019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11');
    await eventually('limits', () => limits.ping());
    // As its users are rotated: the new password beside the old one, which goes once nobody uses it.
    await admin.call('ACL', 'SETUSER', 'auth', `>${NEW}`);
    connection.password = NEW;
    await admin.call('ACL', 'SETUSER', 'auth', `<${OLD}`);
    expect(await admin.call('CLIENT', 'KILL', 'USER', 'auth')).toBeGreaterThanOrEqual(4);
    await eventually('limits', () => limits.ping());
    await welcome('019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a12');
    expect(await consumer.isReady()).toBe(true);
  } finally {
    limits.disconnect();
    await consumer.close(1_000);
    await producer.close();
  }
});
