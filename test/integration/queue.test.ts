import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

import { loadConfig } from '../../src/config/load';
import type { UserRegisteredJob } from '../../src/contracts/notification-jobs';
import { createConsumerMetrics } from '../../src/observability/consumer-metrics';
import { createMetrics } from '../../src/observability/metrics';
import { createQueueConsumer, type QueueConsumer } from '../../src/queue/queue.consumer';
import { createDeadLetters, type DeadLetters } from '../../src/queue/queue.dead-letters';
import { createQueueProducer, type QueueProducer } from '../../src/queue/queue.producer';
import { startChild, type TestChild } from '../support/child';
import { eventually } from '../support/eventually';
import { createLineLogger } from '../support/log-lines';
import { useStack } from '../support/stack';

const EMAIL = 'abebe@example.et';
const JOB = 'user:registered';

let redis: Redis;
let raw: Queue;
let producer: QueueProducer;
let deadLetters: DeadLetters;
const logger = createLineLogger();

// Hooks run in the order in which they are registered: this one before the stack stops.
afterAll(async () => {
  await Promise.all([producer.close(), deadLetters.close(), raw.close()]);
  redis.disconnect();
});

/** `valkey` alone runs; the rest of the configuration only has to be there. */
const stack = useStack('valkey');

const dependencies = () => {
  const { redis: address, queue } = loadConfig(['redis', 'queue'], stack.env);
  return { ...queue, redis: address.connection, logger };
};

beforeAll(() => {
  const deps = dependencies();
  redis = new Redis(deps.redis);
  redis.on('error', () => undefined);
  raw = new Queue('notifications', { connection: deps.redis, prefix: deps.prefix });
  raw.on('error', () => undefined);
  producer = createQueueProducer(deps);
  deadLetters = createDeadLetters(deps);
});

/** Consumes with what `send` does until `work` is done, and gives back what was counted. */
const consuming = async (
  send: (job: UserRegisteredJob) => Promise<unknown>,
  work: (consumer: QueueConsumer) => Promise<void>,
): Promise<Record<string, number>> => {
  const metrics = createMetrics();
  const consumer = createQueueConsumer({
    ...dependencies(),
    counters: createConsumerMetrics(metrics.registry),
    sendWelcomeMail: send,
  });
  try {
    await work(consumer);
  } finally {
    await consumer.close(5_000);
  }
  const values = (await metrics.registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('queue_jobs_'));
  return Object.fromEntries(values.map(({ name, values: [value] }) => [name, value?.value ?? 0]));
};
const isIdle = () =>
  eventually('an idle queue', async () => {
    const { waiting, active } = await deadLetters.countJobs();
    return waiting + active === 0;
  });
const add = (userId: string) => producer.addUserRegisteredJob(userId, EMAIL, 'am');

describe('adding a job', () => {
  it('again and again, fifty times at once, is one job', async () => {
    const userId = randomUUID();
    const ids = await Promise.all(Array.from({ length: 50 }, () => add(userId)));
    expect(new Set(ids)).toEqual(new Set([`user-registered-${userId}`]));
    expect(await deadLetters.countJobs()).toMatchObject({ waiting: 1 });

    const sent: UserRegisteredJob[] = [];
    await consuming(
      async (job) => sent.push(job),
      async () => {
        await eventually('the job', async () => sent.length === 1 && isIdle());
        // Added after it was done: it is still the same job.
        await add(userId);
        await isIdle();
      },
    );
    expect(sent).toEqual([{ userId, email: EMAIL, locale: 'am' }]);
  });

  it('stores the contract and nothing else, all of it under the prefix', async () => {
    const userId = randomUUID();
    await add(userId);
    const job = await raw.getJob(`user-registered-${userId}`);
    expect(job?.name).toBe(JOB);
    expect(job?.data).toEqual({ userId, email: EMAIL, locale: 'am' });
    expect(job?.opts).toMatchObject({
      attempts: 8,
      backoff: { type: 'exponential', delay: 10_000, jitter: 0.5 },
    });
    const keys = await redis.keys('*');
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => !key.startsWith('meqenet:auth:'))).toEqual([]);
    await job?.remove();
  });

  it.each([
    ['no id', ['x', EMAIL, 'en']],
    ['no address', [randomUUID(), 'abebe', 'en']],
    ['an unknown language', [randomUUID(), EMAIL, 'fr']],
  ] as const)('with %s is refused before anything is stored', async (_name, [userId, email, locale]) => {
    const before = await redis.keys('*');
    await expect(producer.addUserRegisteredJob(userId, email, locale as 'en')).rejects.toThrow(
      expect.objectContaining({ name: 'ZodError' }),
    );
    expect(await redis.keys('*')).toEqual(before);
  });
});

describe('a job that fails', () => {
  it('for good is a dead letter, told without addresses, and can be retried', async () => {
    const userId = randomUUID();
    const jobId = `user-registered-${userId}`;
    await add(userId);
    let fails = true;
    let runs = 0;
    const counts = await consuming(
      async () => {
        runs += 1;
        if (fails) throw Object.assign(new Error(`550 <${EMAIL}> unknown`), { permanent: true });
      },
      async () => {
        const letters = await eventually('the dead letter', async () => {
          const found = await deadLetters.listFailed();
          return found.length > 0 && found;
        });
        expect(letters).toEqual([
          {
            jobId,
            name: JOB,
            reason: expect.stringContaining('550 <[address]> unknown'),
            attempts: 1,
            failedAt: expect.any(Date),
          },
        ]);
        expect(
          JSON.stringify(await redis.hmget(`meqenet:auth:notifications:${jobId}`, 'failedReason', 'stacktrace')),
        ).not.toContain(EMAIL);

        fails = false;
        expect(await deadLetters.retryFailed(jobId)).toBe(true);
        await eventually('the second run', async () => runs === 2 && isIdle());
        expect(await deadLetters.listFailed()).toEqual([]);
        expect(await deadLetters.retryFailed(jobId)).toBe(false);
        expect(await deadLetters.retryFailed('unknown')).toBe(false);
      },
    );
    expect(counts).toEqual({
      queue_jobs_completed_total: 1,
      queue_jobs_failed_total: 1,
      queue_jobs_dead_lettered_total: 1,
      queue_jobs_stalled_total: 0,
    });
    expect(JSON.stringify(logger.lines)).not.toContain(EMAIL);
  });

  it('because of its payload is a dead letter at once, told by field and never by value', async () => {
    const data = { userId: 'x', email: 'secret@example.et', locale: 'fr', phone: '+251911234567' };
    await raw.add(JOB, data, { jobId: 'invalid', attempts: 8 });
    let runs = 0;
    await consuming(
      async () => (runs += 1),
      async () => {
        const [letter] = await eventually('the dead letter', async () => {
          const found = await deadLetters.listFailed();
          return found.length > 0 && found;
        });
        expect(letter).toMatchObject({ jobId: 'invalid', attempts: 1 });
        expect(letter?.reason).toMatch(/userId.*locale/);
        expect(letter?.reason).not.toMatch(/secret|\+251|fr\b/);
      },
    );
    expect(runs).toBe(0);
    await (await raw.getJob('invalid'))?.remove();
  });

  it('does not hold up the others (one bad address must not block the queue)', async () => {
    const users = Array.from({ length: 20 }, () => randomUUID());
    const bad = users[0] ?? '';
    const sent = new Set<string>();
    await consuming(
      async ({ userId }) => {
        if (userId === bad) throw Object.assign(new Error('550'), { permanent: true });
        sent.add(userId);
      },
      async () => {
        await Promise.all(users.map(add));
        await eventually('the other nineteen', async () => sent.size === 19 && isIdle());
      },
    );
    expect(await deadLetters.listFailed()).toMatchObject([{ jobId: `user-registered-${bad}` }]);
    await (await raw.getJob(`user-registered-${bad}`))?.remove();
  });

  it('for now waits five to ten seconds, and is done by the next try', async () => {
    const userId = randomUUID();
    const runs: number[] = [];
    await consuming(
      async () => {
        runs.push(Date.now());
        if (runs.length === 1) throw new Error('greylisted');
      },
      async () => {
        await add(userId);
        await eventually('the first run', async () => (await deadLetters.countJobs()).delayed === 1);
        await eventually('the second run', async () => runs.length === 2 && isIdle());
      },
    );
    const wait = (runs[1] ?? 0) - (runs[0] ?? 0);
    expect(wait).toBeGreaterThan(4_900);
    expect(wait).toBeLessThan(13_000);
  });

  it('because a newer release made it waits for a newer consumer', async () => {
    await raw.add('mfa:enabled', {}, { jobId: 'newer', attempts: 8, backoff: { type: 'exponential', delay: 60_000 } });
    await consuming(
      async () => undefined,
      async () => {
        await eventually('the retreat', async () => (await deadLetters.countJobs()).delayed === 1);
      },
    );
    await (await raw.getJob('newer'))?.remove();
  });
});

describe('a consumer', () => {
  interface Said {
    readonly event: 'started' | 'done';
    readonly userId: string;
  }

  it('that is killed in the midst of a job loses nothing: another one does it within seconds', async () => {
    const userId = randomUUID();
    const children: TestChild<Said>[] = [];
    const start = (sendMs: number): TestChild<Said> => {
      const child = startChild<Said>('consumer.ts', { ...stack.env, SEND_MS: String(sendMs) });
      children.push(child);
      return child;
    };
    const startedIn = (child: TestChild<Said>) =>
      eventually('the start of the job', async () => child.messages.some(({ event }) => event === 'started'), 30_000);
    try {
      await add(userId);
      // Twice: one kill more than BullMQ forgives by default.
      for (let kill = 0; kill < 2; kill += 1) {
        const victim = start(600_000);
        await startedIn(victim);
        await victim.kill();
      }
      const heir = start(10);
      const killedAt = Date.now();
      await eventually('the end of the job', async () => heir.messages.some(({ event }) => event === 'done'), 30_000);
      expect(Date.now() - killedAt).toBeLessThan(20_000);
      await isIdle();
      expect(await deadLetters.listFailed()).toEqual([]);
    } finally {
      await Promise.all(children.map((child) => child.kill()));
    }
  });

  it('that is asked to end finishes its job first, and takes no more', async () => {
    let finished = 0;
    await consuming(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 700));
        finished += 1;
      },
      async (consumer) => {
        await add(randomUUID());
        await eventually('the start of the job', async () => (await deadLetters.countJobs()).active === 1);
        expect(await consumer.close(5_000)).toBe(true);
        expect(finished).toBe(1);
        expect(await consumer.isReady()).toBe(false);
        const late = randomUUID();
        await add(late);
        expect(await deadLetters.countJobs()).toMatchObject({ waiting: 1, active: 0 });
        await (await raw.getJob(`user-registered-${late}`))?.remove();
      },
    );
    expect(finished).toBe(1);
  });

  it('that has no time to finish ends in time all the same', async () => {
    let release = (): void => undefined;
    await consuming(
      () => new Promise<void>((resolve) => (release = resolve)),
      async (consumer) => {
        await add(randomUUID());
        await eventually('the start of the job', async () => (await deadLetters.countJobs()).active === 1);
        const begin = performance.now();
        expect(await consumer.close(300)).toBe(false);
        expect(performance.now() - begin).toBeLessThan(2_000);
        release();
      },
    );
  });
});

describe('with Redis gone', () => {
  it('adding fails in about a second, the job is done when it is back, and nothing has to be restarted', async () => {
    await raw.obliterate({ force: true });
    const sent = new Set<string>();
    await consuming(
      async ({ userId }) => sent.add(userId),
      async (consumer) => {
        await stack.valkey?.kill();
        for (let attempt = 0; attempt < 3; attempt += 1) {
          const begin = performance.now();
          await expect(add(randomUUID())).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
          expect(performance.now() - begin).toBeLessThan(1_800);
        }
        expect(await producer.isReady(300)).toBe(false);
        expect(await consumer.isReady(300)).toBe(false);

        await stack.valkey?.start();
        const userId = randomUUID();
        await eventually('the queue', async () => add(userId));
        await eventually('the job', async () => sent.has(userId));
        expect(await consumer.isReady()).toBe(true);
      },
    );
    // One line for each connection that was lost, not one for each attempt.
    const told = logger.lines.filter(({ message }) => message === 'queue connection lost');
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThanOrEqual(4);
  });

  it('that hangs without an answer, adding fails in about a second', async () => {
    const pid = stack.valkey?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    try {
      const begin = performance.now();
      await expect(add(randomUUID())).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
      expect(performance.now() - begin).toBeLessThan(1_800);
      expect(await producer.isReady(300)).toBe(false);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually('the queue', async () => add(randomUUID()));
  });
});
