import type { SectionOf } from '../config/processes';
import type { NoticeHandlers } from '../contracts/notification-jobs';
import { mailIndicator, postgresIndicator, redisIndicator } from '../health/indicators';
import { createReadiness } from '../health/readiness';
import { createConsumerMetrics } from '../observability/consumer-metrics';
import { createQueueConsumer } from '../queue/queue.consumer';
import { countRecoveryCodesLeft } from '../repositories/factor-repository';
import { createDatabase, pingDatabase } from '../repositories/prisma-client';

import { type ProcessContext, CHECK_TIMEOUT_MS, closeAll, mustBeReady } from './process';
import { buildMail } from './mail';

/** The `consumer` process. It takes jobs from the moment it is built. */
export const buildConsumer = ({ config, refreshSecrets, logger, metrics }: ProcessContext<SectionOf<'consumer'>>) => {
  const database = createDatabase(config.database, refreshSecrets);
  const { transport, mailer } = buildMail(config, database);
  const consumer = createQueueConsumer({
    ...config.queue,
    redis: config.redis.connection,
    isTraced: config.telemetry.isTraced,
    logger,
    counters: createConsumerMetrics(metrics.registry),
    sendWelcomeMail: ({ userId, email, locale }) => mailer.sendWelcome({ userId, to: email, locale }),
    notices: {
      'password:changed': ({ eventId, email, locale }) => mailer.sendPasswordChanged({ eventId, to: email, locale }),
      'mfa:enabled': ({ eventId, email, locale }) => mailer.sendMfaEnabled({ eventId, to: email, locale }),
      'mfa:disabled': ({ eventId, email, locale }) => mailer.sendMfaDisabled({ eventId, to: email, locale }),
      'mfa:recovery-code-used': async ({ eventId, userId, email, locale }) => {
        const codesLeft = await countRecoveryCodesLeft(database.sql, userId);
        return mailer.sendRecoveryCodeUsed({ eventId, to: email, locale, codesLeft });
      },
      'passkey:suspected': ({ eventId, email, locale }) => mailer.sendPasskeySuspected({ eventId, to: email, locale }),
      'mfa:recovery-cancelled': ({ eventId, email, locale }) =>
        mailer.sendRecoveryEnded({ recoveryId: eventId, message: 'cancelled', to: email, locale }),
      'phone:changed': ({ eventId, email, locale }) => mailer.sendPhoneChanged({ eventId, to: email, locale }),
      'phone:released': ({ eventId, email, locale }) => mailer.sendPhoneReleased({ eventId, to: email, locale }),
      'session:new-device': ({ eventId, email, locale }) => mailer.sendNewDevice({ eventId, to: email, locale }),
      'session:reuse-detected': ({ eventId, email, locale }) =>
        mailer.sendReuseDetected({ eventId, to: email, locale }),
    } satisfies NoticeHandlers,
  });
  const readiness = createReadiness(
    {
      postgres: postgresIndicator({ query: () => pingDatabase(database) }),
      redis: redisIndicator({ ping: () => mustBeReady(consumer.isReady(CHECK_TIMEOUT_MS)) }),
      mail: mailIndicator({ verify: () => transport.verify(CHECK_TIMEOUT_MS) }),
    },
    { timeoutMs: CHECK_TIMEOUT_MS, optional: ['mail'] },
  );
  const close = async (): Promise<void> => {
    await consumer.close(config.app.shutdownTimeoutMs);
    await closeAll(
      () => transport.close(),
      () => database.$disconnect(),
    );
  };
  return { readiness, close };
};
