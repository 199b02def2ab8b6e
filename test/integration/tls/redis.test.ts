import { describe, expect, it } from '@jest/globals';

import { loadConfig } from '../../../src/config/load';
import { createCountingConnection } from '../../../src/redis/connection';
import { createConsumerMetrics } from '../../../src/observability/consumer-metrics';
import { createMetrics } from '../../../src/observability/metrics';
import { createQueueConsumer } from '../../../src/queue/queue.consumer';
import { createQueueProducer } from '../../../src/queue/queue.producer';
import { NOT_TRUSTED } from '../../support/certificates';
import { eventually } from '../../support/eventually';
import { createLineLogger } from '../../support/log-lines';
import { useMutualTlsProxy } from '../../support/mutual-tls';
import { useStack } from '../../support/stack';

const stack = useStack('valkey');
const logger = createLineLogger();
const target = () => ({ targetPort: stack.ports.valkey });
const { tls, proxy, env: trusting } = useMutualTlsProxy({ name: 'redis.test', prefix: 'REDIS', target });

const address = () => ({ REDIS_PORT: String(proxy().port) });
const right = () => ({ ...address(), ...trusting() });
const dependencies = (env: Record<string, string>) => {
  const { redis, queue } = loadConfig(['redis', 'queue'], { ...stack.env, ...env });
  return { ...queue, redis: redis.connection, logger };
};

/** Why a job cannot be enqueued. */
const refusal = async (env: Record<string, string>): Promise<unknown> => {
  const producer = createQueueProducer(dependencies(env));
  try {
    await producer.addUserRegisteredJob(crypto.randomUUID(), 'abebe@example.et', 'en');
    return 'no refusal';
  } catch (error) {
    return error;
  } finally {
    await producer.close();
  }
};

describe('Redis over TLS', () => {
  it('takes and gives jobs, and counts, with the right authority and certificate', async () => {
    const deps = dependencies(right());
    const producer = createQueueProducer(deps);
    const sent: string[] = [];
    const consumer = createQueueConsumer({
      ...deps,
      counters: createConsumerMetrics(createMetrics().registry),
      sendWelcomeMail: async ({ email }) => sent.push(email),
    });
    const limits = createCountingConnection(deps.redis, 2_000);
    try {
      await producer.addUserRegisteredJob(crypto.randomUUID(), 'abebe@example.et', 'en');
      await eventually('the job', () => Promise.resolve(sent.length === 1));
      await eventually('a count', async () => (await limits.incr('tls-test').catch(() => 0)) > 0);
      expect([...proxy().protocols]).toEqual([expect.stringMatching(/^TLSv1\.[23]$/)]);
    } finally {
      limits.disconnect();
      await consumer.close(5_000);
      await producer.close();
    }
  });

  it('is not talked to when a stranger vouches for it, or it has another name', async () => {
    const { REDIS_TLS_SERVER_NAME: _, ...unnamed } = right();
    const refused = (code: unknown) => ({ name: 'QueueUnavailableError', cause: { code } });
    expect(await refusal({ ...right(), REDIS_TLS_CA: tls.stranger.cert })).toMatchObject(
      refused(expect.stringMatching(NOT_TRUSTED)),
    );
    for (const env of [unnamed, { ...right(), REDIS_TLS_SERVER_NAME: 'postgres.test' }])
      expect(await refusal(env)).toMatchObject(refused('ERR_TLS_CERT_ALTNAME_INVALID'));
    // The operator finds the reason in the log.
    expect(JSON.stringify(logger.lines)).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('turns away who shows no certificate, or comes without TLS', async () => {
    const { REDIS_TLS_CERTIFICATE: _, REDIS_TLS_KEY: __, ...anonymous } = right();
    for (const env of [anonymous, address()])
      expect(await refusal(env)).toMatchObject({ name: 'QueueUnavailableError' });
  });

  it('is reached the same by the tools', () => {
    const { connection } = loadConfig(['redis'], { ...stack.env, ...right() }).redis;
    expect(connection).toEqual(dependencies(right()).redis);
  });
});
