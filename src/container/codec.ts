import { createApp } from '../api/app';
import { codecDoor } from '../api/middleware/codec-door';
import { signInPages } from '../api/pages/sign-in';
import type { Route } from '../api/route';
import { codecRoutes } from '../api/routes/codec';
import { factorCodeRoutes, secondFactorRoutes } from '../api/routes/second-factor';
import { sessionRoutes } from '../api/routes/session';
import type { SectionOf } from '../config/processes';
import { postgresIndicator } from '../health/indicators';
import { createReadiness } from '../health/readiness';
import { createQueueProducer } from '../queue/queue.producer';
import { pingDatabase } from '../repositories/prisma-client';
import { createRemoteDecoder } from '../temporal/codec-server';
import { createTemporalConnection } from '../temporal/connection';
import { createPayloadCodec } from '../temporal/payload-codec';

import { createOnDenied } from './administration';
import { buildData } from './data';
import { buildIdentity } from './identity';
import { buildLimits } from './limits';
import { CHECK_TIMEOUT_MS, closeAll, type ProcessContext, translateError } from './process';

/** What a sign-in takes; nothing else of the API is served here. */
const SIGN_IN = ['login', 'completeLogin', 'sendLoginCode', 'refresh', 'logout'];

const buildIdentityRoutes = (
  { config }: ProcessContext<'tokens'>,
  identity: ReturnType<typeof buildIdentity>,
): readonly Route[] => {
  const { challenges, factorCodes, stepUp } = identity;
  const routes = [
    ...sessionRoutes({ ...identity, ...config.tokens.signingKeys }),
    ...secondFactorRoutes(challenges, stepUp),
    ...factorCodeRoutes(challenges, factorCodes),
  ];
  return routes.filter(({ operationId }) => SIGN_IN.includes(operationId));
};

/** The `codec-server` process: the sign-in of the API, and what it opens. */
export const buildCodec = (context: ProcessContext<SectionOf<'codec-server'>>) => {
  const { config, logger, metrics } = context;
  const { codecServer } = config.temporal;
  const { isTraced } = config.telemetry;
  const data = buildData(context);
  const { database, dataKeys, recordAudit } = data;
  const temporal = createTemporalConnection(config.temporal, dataKeys, isTraced);
  const queue = createQueueProducer({ ...config.queue, redis: config.redis.connection, logger, isTraced });
  const { routeLimits, lockOut, close: closeLimits } = buildLimits(context, data);
  const identity = buildIdentity(context, data, temporal, queue, lockOut);
  const decode = createRemoteDecoder(createPayloadCodec(dataKeys));
  const readiness = createReadiness(
    { postgres: postgresIndicator({ query: () => pingDatabase(database) }) },
    { timeoutMs: CHECK_TIMEOUT_MS },
  );
  const app = createApp({
    routes: [...buildIdentityRoutes(context, identity), ...codecRoutes({ decode, recordAudit })],
    pages: signInPages(),
    isTraced: true,
    door: codecDoor({ url: codecServer.url, uiOrigins: codecServer.origins, tokenLife: config.tokens.jwt }),
    authenticate: identity.sessions.authenticate,
    onDenied: createOnDenied(recordAudit),
    limits: routeLimits,
    translateError,
    logger,
    metrics,
    readiness,
    // Its own pages are of its own origin, and the door knows those of the UI.
    config: { ...config.app, corsOrigins: [] },
  });
  const close = async (): Promise<void> => {
    await identity.notices.settled();
    await closeAll(
      () => temporal.close(),
      closeLimits,
      () => queue.close(),
      () => database.$disconnect(),
    );
  };
  return { app, readiness, dataKeys, close };
};
