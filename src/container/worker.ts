import { createAccountActivities } from '../activities/account';
import { createEmailActivities } from '../activities/email';
import { createRegistrationActivities } from '../activities/registration';
import { createSigningKeyActivities } from '../activities/signing-key';
import { type TaskQueue, TASK_QUEUES } from '../contracts/task-queues';
import { generateSigningKey } from '../crypto/signing-key';
import { mailIndicator, postgresIndicator, redisIndicator, temporalIndicator } from '../health/indicators';
import { createReadiness } from '../health/readiness';
import { createQueueProducer } from '../queue/queue.producer';
import { pingDatabase } from '../repositories/prisma-client';
import { createSigningKeyRepository } from '../repositories/signing-key-repository';
import { createTemporalConnection } from '../temporal/connection';
import { ensureRotationSchedule } from '../temporal/schedules';

import { type ProcessContext, CHECK_TIMEOUT_MS, closeAll, mustBeReady } from './process';
import { buildData } from './data';
import { buildMail } from './mail';

/** The `worker` process: activities with what they use. */
export const buildWorker = ({ config, logger }: ProcessContext, isPolling: () => boolean | Promise<boolean>) => {
  const { database, cipher, codes, users, registrations, resets, resetTokens } = buildData(config);
  const temporal = createTemporalConnection(config.temporal);
  const queue = createQueueProducer({ ...config.queue, redis: config.redis.connection, logger });
  const { transport, mailer } = buildMail(config, database);
  const readiness = createReadiness(
    {
      postgres: postgresIndicator({ query: () => pingDatabase(database) }),
      redis: redisIndicator({ ping: () => mustBeReady(queue.isReady(CHECK_TIMEOUT_MS)) }),
      temporal: temporalIndicator({ getSystemInfo: () => mustBeReady(isPolling()) }),
      mail: mailIndicator({ verify: () => transport.verify(CHECK_TIMEOUT_MS) }),
    },
    { timeoutMs: CHECK_TIMEOUT_MS, optional: ['redis', 'mail'] },
  );
  return {
    activities: {
      registration: createRegistrationActivities({ registrations, users, queue }),
      account: createAccountActivities({ resets, users, queue }),
      email: createEmailActivities({
        ...{ registrations, codes, resets, users, resetTokens, mailer },
        verificationUrl: `${config.app.publicUrl}/verify-email`,
        passwordResetUrl: `${config.app.publicUrl}/reset-password`,
      }),
      maintenance: createSigningKeyActivities({
        signingKeys: createSigningKeyRepository(database, cipher),
        generate: generateSigningKey,
        times: config.security.signingKeys,
      }),
    },
    readiness,
    /** What recurs on these queues is in Temporal. @throws when Temporal does not answer: try again */
    ensureSchedules: async (queues: readonly TaskQueue[]): Promise<void> => {
      if (!queues.includes(TASK_QUEUES.maintenance)) return;
      const { client } = temporal;
      await client.withDeadline(Date.now() + config.temporal.updateTimeoutMs, () =>
        ensureRotationSchedule(client, config.security.signingKeys.rotationIntervalMs),
      );
    },
    close: () =>
      closeAll(
        () => temporal.close(),
        () => queue.close(),
        () => transport.close(),
        () => database.$disconnect(),
      ),
  };
};
