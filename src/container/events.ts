import { createEventStreams } from '../api/event-streams';
import type { Config } from '../config/sections';
import { createRelay } from '../events/relay';
import { createRevocations } from '../events/revocations';
import { createStreamKeys } from '../events/streams';
import { createTail } from '../events/tail';
import { createUserEvents } from '../events/user-events';
import { createWake } from '../events/wake';
import { createMfaPolicy } from '../identity/mfa-policy';
import { createEventMetrics } from '../observability/event-metrics';
import { createPromptConnection, createWaitingConnection } from '../redis/connection';
import { createEventSource } from '../repositories/event-source-repository';

import type { Data } from './data';
import { closeAll, type ProcessContext } from './process';

type Followed = 'events' | 'revocations' | 'wake';

/** @param followed the streams that are listened to: a process is not to be roused by others */
const buildStreams = ({ redis, queue }: Config<'redis' | 'queue'>, followed: readonly Followed[]) => {
  const keys = createStreamKeys(queue.prefix);
  const connection = createPromptConnection(redis.connection);
  const tail = createTail(
    createWaitingConnection(redis.connection),
    followed.map((name) => keys[name]),
  );
  tail.start();
  const close = () =>
    closeAll(
      () => tail.stop(),
      () => {
        connection.disconnect();
      },
    );
  return { keys, redis: connection, tail, close };
};

/** For a process that checks access tokens without the database. */
export const buildRevocations = (config: Config<'redis' | 'queue'>) => {
  const streams = buildStreams(config, ['revocations']);
  return { revocations: createRevocations(streams), redis: streams.redis, close: streams.close };
};

/** For a process that does what the trail records, and carries nothing on itself. */
export const buildWake = ({ redis, queue }: Config<'redis' | 'queue'>, { database }: Pick<Data, 'database'>) => {
  const connection = createPromptConnection(redis.connection);
  database.onRecorded(createWake(connection, createStreamKeys(queue.prefix)));
  return {
    close: () => {
      connection.disconnect();
    },
  };
};

/** What happens, as it happens: from the audit trail into Redis, and from there to whoever watches. */
export const buildEvents = (
  { config, logger, metrics }: ProcessContext<'redis' | 'queue' | 'tokens' | 'security'>,
  { database }: Pick<Data, 'database'>,
) => {
  const streams = buildStreams(config, ['events', 'revocations', 'wake']);
  const eventStreams = createEventStreams(createUserEvents(streams));
  const policy = createMfaPolicy(config.security);
  const { published } = createEventMetrics(metrics.registry, () => eventStreams.count());
  const relay = createRelay({
    ...streams,
    source: createEventSource(database),
    // As in a session in which every factor was shown.
    claimableRoles: (account) => policy.rolesInForce({ ...account, isStrong: true }),
    tokenLifeMs: () => config.tokens.jwt.expiresInMs,
    onPublished: (events) => {
      published.inc(events);
    },
    logger,
  });
  streams.tail.listen(streams.keys.wake, relay.wake);
  database.onRecorded(createWake(streams.redis, streams.keys));
  relay.start();
  return {
    eventStreams,
    revocations: createRevocations(streams),
    close: async () => {
      await relay.stop();
      await streams.close();
    },
  };
};
