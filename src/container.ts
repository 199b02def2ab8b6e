import type { Logger } from 'pino';

import { createEmailActivities } from './activities/email';
import { createRegistrationActivities } from './activities/registration';
import { createSigningKeyActivities } from './activities/signing-key';
import { createApp } from './api/app';
import { idempotency } from './api/middleware/idempotency';
import { createRouteLimits } from './api/middleware/rate-limit';
import { verifyEmailPages } from './api/pages/verify-email';
import { registrationRoutes } from './api/routes/registration';
import { sessionRoutes } from './api/routes/session';
import { userRoutes } from './api/routes/user';
import type { Config } from './config/load';
import type { NewAuditEvent } from './contracts/audit';
import { API_VERSION } from './contracts/api-version';
import { AppError } from './contracts/errors';
import type { NoticeHandlers } from './contracts/notification-jobs';
import { type TaskQueue, TASK_QUEUES } from './contracts/task-queues';
import { createAccessTokens } from './crypto/access-token';
import { createAuditSeal } from './crypto/audit-seal';
import { createBlindIndex } from './crypto/blind-index';
import { deriveKey } from './crypto/derive-key';
import { createFieldCipher } from './crypto/field-cipher';
import { createIdempotencyKeys } from './crypto/idempotency-keys';
import { createPasswordHasher } from './crypto/password-hasher';
import { createPasswordPolicy } from './crypto/password-policy';
import { createRefreshTokens } from './crypto/refresh-token';
import { generateSigningKey } from './crypto/signing-key';
import { createSigningKeyRing } from './crypto/signing-key-ring';
import { createVerificationCodes } from './crypto/verification-code';
import { mailIndicator, postgresIndicator, redisIndicator, temporalIndicator } from './health/indicators';
import { createReadiness } from './health/readiness';
import { createLockOut } from './identity/lock-out';
import { createLogin } from './identity/login';
import { createRegistrations } from './identity/registration';
import { createSessionNotices } from './identity/session-notices';
import { createSessions } from './identity/sessions';
import { createCounterStore } from './limits/counter-store';
import { createRateLimiter } from './limits/rate-limiter';
import { createLimitsConnection } from './limits/redis';
import { createMailTransport } from './mail/mail-transport';
import { createMailer } from './mail/mailer';
import { createConsumerMetrics } from './observability/consumer-metrics';
import { createLimitMetrics, type LimitMetrics } from './observability/limit-metrics';
import type { Metrics } from './observability/metrics';
import { createQueueConsumer } from './queue/queue.consumer';
import { createQueueProducer } from './queue/queue.producer';
import { createAuditTrail } from './repositories/audit-trail';
import { isDatabaseUnavailable } from './repositories/database-errors';
import { createDeviceRepository } from './repositories/device-repository';
import { createIdempotencyRepository } from './repositories/idempotency-repository';
import { createLoginFailureRepository } from './repositories/login-failure-repository';
import { createMailDeliveryRepository } from './repositories/mail-delivery-repository';
import { createDatabase, pingDatabase } from './repositories/prisma-client';
import { createRegistrationRepository } from './repositories/registration-repository';
import { createSessionRepository } from './repositories/session-repository';
import { createSigningKeyRepository } from './repositories/signing-key-repository';
import { createUserRepository } from './repositories/user-repository';
import { createTemporalConnection } from './temporal/connection';
import { ensureRotationSchedule } from './temporal/schedules';
import { createWorkflowStarter } from './temporal/workflow-starter';

/** What every process has from the start. */
export interface ProcessContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Longest time for one readiness check, milliseconds. */
const CHECK_TIMEOUT_MS = 2_000;
/** An SMTP conversation ends before its activity does (20 s), so that the lock is not taken over while it goes on. */
const MAIL_TRANSACTION_MS = 15_000;

/** The database and what reads it. */
const buildData = (config: Config) => {
  const { security } = config;
  const database = createDatabase(config.database);
  const cipher = createFieldCipher(security.fieldEncryptionKeys);
  const blindIndex = createBlindIndex(security.blindIndexKey);
  const codes = createVerificationCodes(security.tokenKey);
  const audit = createAuditTrail(cipher, createAuditSeal(security.fieldEncryptionKeys));
  const users = createUserRepository({ database, cipher, blindIndex });
  const registrations = createRegistrationRepository({ database, cipher, blindIndex, users, codes, audit });
  const recordAudit = (event: NewAuditEvent) => audit.append(database.sql, event);
  return { database, cipher, blindIndex, codes, audit, recordAudit, users, registrations };
};

const buildMail = (config: Config, database: ReturnType<typeof createDatabase>) => {
  const transport = createMailTransport(config.mail);
  const deliveries = createMailDeliveryRepository(database, MAIL_TRANSACTION_MS);
  return { transport, mailer: createMailer({ transport, deliveries, from: config.mail.from }) };
};

/** Limits of requests by Redis, and delays of logins by the database. */
const buildLimits = (config: Config, database: ReturnType<typeof createDatabase>, metrics: LimitMetrics) => {
  const { limits, security, redis } = config;
  const limiter = createRateLimiter({
    store: createCounterStore({
      redis: createLimitsConnection(redis.connection),
      onFallback: () => {
        metrics.fallbacks.inc();
      },
    }),
    config: limits,
    key: deriveKey(security.tokenKey, 'rate-limit'),
    onLimited: (limitClass, reason, mode) => {
      metrics.limited.inc({ class: limitClass, reason, mode });
    },
  });
  const lockOut = createLockOut({
    failures: createLoginFailureRepository(database),
    key: deriveKey(security.tokenKey, 'lock-out'),
    config: limits,
    onDelayed: (reason, mode) => {
      metrics.delayedLogins.inc({ reason, mode });
    },
  });
  return { limiter, lockOut };
};

/** Closes everything, each even if another fails to. */
const closeAll = async (...closers: (() => unknown)[]): Promise<void> => {
  await Promise.allSettled(closers.map((close) => Promise.resolve().then(close)));
};

/** Stands last of the interceptors, innermost: it must remember nothing of what limits and permissions refuse. */
const buildIdempotency = (
  { security }: Config,
  { database, cipher }: Pick<ReturnType<typeof buildData>, 'database' | 'cipher'>,
  logger: Logger,
) =>
  idempotency({
    keys: createIdempotencyKeys(security.tokenKey),
    repository: createIdempotencyRepository(database, cipher),
    logger,
  });

const translateDatabaseError = (error: unknown): AppError | undefined =>
  isDatabaseUnavailable(error)
    ? new AppError('service_unavailable', { retryAfterSeconds: 5, cause: error })
    : undefined;

interface ApiParts {
  readonly database: ReturnType<typeof createDatabase>;
  readonly queue: ReturnType<typeof createQueueProducer>;
  readonly temporal: ReturnType<typeof createTemporalConnection>;
  readonly transport: ReturnType<typeof createMailTransport>;
}

const apiReadiness = ({ database, queue, temporal, transport }: ApiParts) =>
  createReadiness(
    {
      postgres: postgresIndicator({ query: () => pingDatabase(database) }),
      redis: redisIndicator({ ping: () => mustBeReady(queue.isReady(CHECK_TIMEOUT_MS)) }),
      temporal: temporalIndicator({ getSystemInfo: () => temporal.ping(CHECK_TIMEOUT_MS) }),
      mail: mailIndicator({ verify: () => transport.verify(CHECK_TIMEOUT_MS) }),
    },
    { timeoutMs: CHECK_TIMEOUT_MS, optional: ['redis', 'temporal', 'mail'] },
  );

/** Sessions with their tokens, and the notices of them. */
const buildSessions = (
  { config: { security }, logger }: ProcessContext,
  { database, cipher, blindIndex, audit, users }: ReturnType<typeof buildData>,
  queue: ReturnType<typeof createQueueProducer>,
) => {
  const keyRing = createSigningKeyRing(createSigningKeyRepository(database, cipher), security.signingKeys);
  const accessTokens = createAccessTokens(keyRing, security.jwt);
  const notices = createSessionNotices({ users, queue, logger });
  const sessions = createSessions({
    sessions: createSessionRepository(database, audit),
    devices: createDeviceRepository({ database, cipher, blindIndex, audit }),
    notices,
    accessTokens,
    refreshTokens: createRefreshTokens(security.tokenKey),
    config: security,
  });
  return { accessTokens, sessions, notices };
};

/** The `api` process. Without Redis, Temporal or mail it still serves what does not need them, so only Postgres makes it unready. */
export const buildApi = (context: ProcessContext) => {
  const { config, logger, metrics } = context;
  const { security } = config;
  const data = buildData(config);
  const { database, cipher, blindIndex, users } = data;
  const temporal = createTemporalConnection(config.temporal);
  const queue = createQueueProducer({ ...config.queue, redis: config.redis.connection, logger });
  const transport = createMailTransport(config.mail);
  const readiness = apiReadiness({ database, queue, temporal, transport });
  const hasher = createPasswordHasher(security.passwordHash, security.tokenKey);
  const { accessTokens, sessions, notices } = buildSessions(context, data, queue);
  const { limiter, lockOut } = buildLimits(config, database, createLimitMetrics(metrics.registry));
  const login = createLogin({ ...data, hasher, sessions, lockOut });
  const registrations = createRegistrations({
    policy: createPasswordPolicy(),
    hasher,
    blindIndex,
    cipher,
    starter: createWorkflowStarter(temporal.client, config.temporal),
    registrations: data.registrations,
    users,
    sessions,
    lockOut,
    workflowIdKey: deriveKey(security.tokenKey, 'workflow-id'),
    expiresInMs: security.registrationExpiresInMs,
  });
  const app = createApp({
    routes: [
      ...registrationRoutes(registrations),
      ...sessionRoutes({ login, sessions, accessTokens, ...security.signingKeys }),
      ...userRoutes(users),
    ],
    interceptors: [buildIdempotency(config, { database, cipher }, logger)],
    pages: verifyEmailPages(),
    authenticate: sessions.authenticate,
    limits: createRouteLimits({ limiter, blindIndex }),
    translateError: translateDatabaseError,
    logger,
    metrics,
    readiness,
    config: config.app,
    docs: { title: 'Meqenet Auth', version: API_VERSION, publicUrl: config.app.publicUrl },
  });
  const close = async (): Promise<void> => {
    await notices.settled();
    await closeAll(
      () => temporal.close(),
      () => limiter.close(),
      () => queue.close(),
      () => transport.close(),
      () => database.$disconnect(),
    );
  };
  return { app, readiness, close };
};

/** The `worker` process: activities with what they use. */
export const buildWorker = ({ config, logger }: ProcessContext, isPolling: () => boolean | Promise<boolean>) => {
  const { database, cipher, codes, users, registrations } = buildData(config);
  const temporal = createTemporalConnection(config.temporal);
  const queue = createQueueProducer({ ...config.queue, redis: config.redis.connection, logger });
  const { transport, mailer } = buildMail(config, database);
  const verificationUrl = `${config.app.publicUrl}/verify-email`;
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
      email: createEmailActivities({ registrations, codes, mailer, verificationUrl }),
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

/** The `consumer` process. It takes jobs from the moment it is built. */
export const buildConsumer = ({ config, logger, metrics }: ProcessContext) => {
  const database = createDatabase(config.database);
  const { transport, mailer } = buildMail(config, database);
  const consumer = createQueueConsumer({
    ...config.queue,
    redis: config.redis.connection,
    logger,
    counters: createConsumerMetrics(metrics.registry),
    sendWelcomeMail: ({ userId, email, locale }) => mailer.sendWelcome({ userId, to: email, locale }),
    notices: {
      'password:changed': ({ eventId, email, locale }) => mailer.sendPasswordChanged({ eventId, to: email, locale }),
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

/** Turns "not ready" into the rejection that an indicator expects. */
const mustBeReady = async (ready: boolean | Promise<boolean>): Promise<void> => {
  if (!(await ready)) throw new Error('not ready');
};
