import type { Logger } from 'pino';

import { createApp } from '../api/app';
import { idempotency } from '../api/middleware/idempotency';
import { resetPasswordPages } from '../api/pages/reset-password';
import { recoveryPages } from '../api/pages/recovery';
import { verifyEmailPages } from '../api/pages/verify-email';
import { apiRoutes } from '../api/routes';
import type { SectionOf } from '../config/processes';
import type { Config } from '../config/sections';
import { API_VERSION } from '../contracts/api-version';
import { createIdempotencyKeys } from '../crypto/idempotency-keys';
import { mailIndicator, postgresIndicator, redisIndicator, temporalIndicator } from '../health/indicators';
import { createReadiness } from '../health/readiness';
import { createMailTransport } from '../mail/mail-transport';
import { createQueueProducer } from '../queue/queue.producer';
import { createIdempotencyRepository } from '../repositories/idempotency-repository';
import { type createDatabase, pingDatabase } from '../repositories/prisma-client';
import { createTemporalConnection } from '../temporal/connection';

import { type ProcessContext, CHECK_TIMEOUT_MS, closeAll, mustBeReady, translateError } from './process';
import { buildData, type Data } from './data';
import { buildEvents } from './events';
import { buildGrpc } from './grpc';
import { buildIdentity } from './identity';
import { buildAdministration } from './administration';
import { buildLimits } from './limits';
import { buildPasskeys } from './passkeys';

/** Stands last of the interceptors, innermost: it must remember nothing of what limits and permissions refuse. */
const buildIdempotency = (
  { security }: Config<'security'>,
  { database, ciphers }: Pick<Data, 'database' | 'ciphers'>,
  logger: Logger,
) =>
  idempotency({
    keys: createIdempotencyKeys(security.tokenKey),
    repository: createIdempotencyRepository(database, ciphers.idempotency),
    logger,
  });

interface ApiParts {
  readonly database: ReturnType<typeof createDatabase>;
  readonly queue: ReturnType<typeof createQueueProducer>;
  readonly temporal: ReturnType<typeof createTemporalConnection>;
  readonly transport: ReturnType<typeof createMailTransport>;
}

/** What the `api` process is asked for its readiness. */
const buildApiReadiness = ({ database, queue, temporal, transport }: ApiParts) =>
  createReadiness(
    {
      postgres: postgresIndicator({ query: () => pingDatabase(database) }),
      redis: redisIndicator({ ping: () => mustBeReady(queue.isReady(CHECK_TIMEOUT_MS)) }),
      temporal: temporalIndicator({ getSystemInfo: () => temporal.ping(CHECK_TIMEOUT_MS) }),
      mail: mailIndicator({ verify: () => transport.verify(CHECK_TIMEOUT_MS) }),
    },
    { timeoutMs: CHECK_TIMEOUT_MS, optional: ['redis', 'temporal', 'mail'] },
  );

/** The `api` process. Without Redis, Temporal or mail it still serves what does not need them, so only Postgres makes it unready. */
export const buildApi = (context: ProcessContext<SectionOf<'api'>>) => {
  const { config, logger, metrics } = context;
  const { isTraced } = config.telemetry;
  const data = buildData(context);
  const { database, dataKeys } = data;
  const temporal = createTemporalConnection(config.temporal, dataKeys, isTraced);
  const queue = createQueueProducer({ ...config.queue, redis: config.redis.connection, logger, isTraced });
  const transport = createMailTransport(config.mail);
  const { routeLimits, lockOut, close: closeLimits } = buildLimits(context, data);
  const identity = buildIdentity(context, data, temporal, queue, lockOut);
  const { sessions, notices, mfa } = identity;
  const administration = buildAdministration(data, config, identity.starter);
  const events = buildEvents(context, data);
  const readiness = buildApiReadiness({ database, queue, temporal, transport });
  const routes = apiRoutes({
    ...identity,
    ...administration.services,
    ...events,
    ...config.tokens.signingKeys,
    enrollments: mfa.enrollments,
    factors: mfa.factors,
    passkeys: buildPasskeys(data, { ...identity, lockOut }),
  });
  const operations = {
    ...{ authenticate: sessions.authenticate, onDenied: administration.onDenied },
    ...{ checkHighRisk: data.restrictions.checkHighRisk, limits: routeLimits, logger, config: config.app },
    ...{ interceptors: [buildIdempotency(config, data, logger)], interceptorErrors: [] },
  };
  const app = createApp({
    ...operations,
    ...{ routes, translateError, metrics, readiness },
    pages: [...verifyEmailPages(), ...resetPasswordPages(), ...recoveryPages()],
    ...{ gateway: config.gatewayTrust, isTraced: true },
    docs: {
      ...{ title: 'Meqenet Auth', version: API_VERSION, publicUrl: config.app.publicUrl },
      ...{ maxBodyBytes: config.app.maxBodyBytes, limits: config.limits.classes },
    },
  });
  const { authenticate } = sessions;
  const grpc = buildGrpc(context, { routes, operations, authenticate, revocations: events.revocations });
  const close = async (): Promise<void> => {
    await notices.settled();
    await events.close();
    await closeAll(
      () => temporal.close(),
      closeLimits,
      () => queue.close(),
      () => transport.close(),
      () => database.$disconnect(),
    );
  };
  const beginShutdown = (): void => {
    readiness.beginShutdown();
    events.eventStreams.endAll();
  };
  return { app, grpc, dataKeys, readiness, beginShutdown, close };
};
