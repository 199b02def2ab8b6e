import type { Logger } from 'pino';

import { createApp } from '../api/app';
import { idempotency } from '../api/middleware/idempotency';
import { resetPasswordPages } from '../api/pages/reset-password';
import { recoveryPages } from '../api/pages/recovery';
import { verifyEmailPages } from '../api/pages/verify-email';
import { accountErasureRoutes } from '../api/routes/account-erasure';
import { accountRecoveryRoutes } from '../api/routes/account-recovery';
import { consentRoutes } from '../api/routes/consent';
import { contactChangeRoutes } from '../api/routes/contact-change';
import { dataExportRoutes } from '../api/routes/data-export';
import { mfaRoutes } from '../api/routes/mfa';
import { passwordRoutes } from '../api/routes/password';
import { registrationRoutes } from '../api/routes/registration';
import { rememberedDeviceRoutes } from '../api/routes/remembered-device';
import { factorCodeRoutes, secondFactorRoutes } from '../api/routes/second-factor';
import { sessionRoutes } from '../api/routes/session';
import { userRoutes } from '../api/routes/user';
import type { Config } from '../config/load';
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
import { buildIdentity } from './identity';
import { buildAdministration } from './administration';
import { buildLimits } from './limits';
import { buildPasskeyRoutes } from './passkeys';

/** Stands last of the interceptors, innermost: it must remember nothing of what limits and permissions refuse. */
const buildIdempotency = (
  { security }: Config,
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
export const buildApi = (context: ProcessContext) => {
  const { config, logger, metrics } = context;
  const data = buildData(context);
  const { database, dataKeys } = data;
  const temporal = createTemporalConnection(config.temporal, dataKeys);
  const queue = createQueueProducer({ ...config.queue, redis: config.redis.connection, logger });
  const transport = createMailTransport(config.mail);
  const { routeLimits, lockOut, close: closeLimits } = buildLimits(context, data);
  const identity = buildIdentity(context, data, temporal, queue, lockOut);
  const { accessTokens, sessions, notices, login, passwords, registrations, profile, consents, contactChanges } =
    identity;
  const { challenges, factorCodes, stepUp, remembered, recoveries, mfa } = identity;
  const administration = buildAdministration(data, config, identity.starter);
  const readiness = buildApiReadiness({ database, queue, temporal, transport });
  const app = createApp({
    routes: [
      ...registrationRoutes(registrations),
      ...passwordRoutes(passwords),
      ...sessionRoutes({ login, sessions, accessTokens, ...config.security.signingKeys }),
      ...secondFactorRoutes(challenges, stepUp),
      ...factorCodeRoutes(challenges, factorCodes),
      ...mfaRoutes(mfa.enrollments, mfa.factors),
      ...rememberedDeviceRoutes(remembered),
      ...buildPasskeyRoutes(data, { ...identity, lockOut }),
      ...accountRecoveryRoutes(recoveries),
      ...userRoutes(profile),
      ...consentRoutes(consents),
      ...accountErasureRoutes(identity.erasures),
      ...dataExportRoutes(identity.dataExports),
      ...contactChangeRoutes({ contactChanges, profile }),
      ...administration.routes,
    ],
    interceptors: [buildIdempotency(config, data, logger)],
    pages: [...verifyEmailPages(), ...resetPasswordPages(), ...recoveryPages()],
    authenticate: sessions.authenticate,
    onDenied: administration.onDenied,
    checkHighRisk: data.restrictions.checkHighRisk,
    limits: routeLimits,
    translateError,
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
      closeLimits,
      () => queue.close(),
      () => transport.close(),
      () => database.$disconnect(),
    );
  };
  return { app, readiness, dataKeys, close };
};
