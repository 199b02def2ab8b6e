import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';

import { loadConfig } from '../../src/config/load';
import { buildProtection } from '../../src/container/protection';
import { createRelay } from '../../src/events/relay';
import { createStreamKeys } from '../../src/events/streams';
import { createTail } from '../../src/events/tail';
import { createWake } from '../../src/events/wake';
import type { AuditTrail } from '../../src/repositories/audit-trail';
import { createEventSource } from '../../src/repositories/event-source-repository';
import { createDatabase, type Database } from '../../src/repositories/prisma-client';
import { createPromptConnection, createWaitingConnection } from '../../src/redis/connection';
import { eventually } from '../support/eventually';
import { useStack } from '../support/stack';

const keys = createStreamKeys('relay-test');
/** Longer than any test: what is told was not found by a look that was due. */
const NEVER_MS = 3_600_000;

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});
const stack = useStack('postgres', 'valkey');
/** Of the process that carries events on, and of another one. */
let own: Recorder;
let other: Recorder;
let redis: Redis;

interface Recorder {
  readonly database: Database;
  readonly audit: AuditTrail;
}

const recorder = (): Recorder & { readonly redis: Redis } => {
  const config = loadConfig(['database', 'keys', 'security', 'redis'], stack.env);
  const database = createDatabase(config.database);
  const connection = createPromptConnection(config.redis.connection);
  closing.push(
    () => database.$disconnect(),
    () => connection.disconnect(),
  );
  database.onRecorded(createWake(connection, keys));
  return { database, audit: buildProtection(config, database).audit, redis: connection };
};

beforeAll(async () => {
  const first = recorder();
  [own, other, redis] = [first, recorder(), first.redis];
  const config = loadConfig(['redis'], stack.env);
  const tail = createTail(createWaitingConnection(config.redis.connection), [keys.wake]);
  const relay = createRelay({
    ...{ redis, keys, source: createEventSource(own.database), idleMs: NEVER_MS },
    claimableRoles: ({ roles }) => roles,
    tokenLifeMs: () => 900_000,
    onPublished: () => undefined,
    logger: { warn: () => undefined },
  });
  closing.push(
    () => tail.stop(),
    () => relay.stop(),
  );
  tail.listen(keys.wake, relay.wake);
  tail.start();
  await tail.standing;
  relay.start();
  await eventually('the first look', async () => (await redis.exists(keys.position)) === 1);
});

/** Records that a session was opened. @returns the person, of whom nothing was told before */
const record = async ({ database, audit }: Recorder, inTransaction = false): Promise<string> => {
  const userId = randomUUID();
  const event = { action: 'session.opened', actor: { kind: 'user', id: userId }, subjectId: userId } as const;
  if (inTransaction) await database.transact((sql) => audit.append(sql, event));
  else await audit.append(database.sql, event);
  return userId;
};
const isTold = async (userId: string): Promise<boolean> => (await redis.xlen(keys.eventsOf(userId))) === 1;

it.each([
  ['by the process itself', () => record(own)],
  ['by another process', () => record(other)],
  ['in a transaction', () => record(other, true)],
])('what was recorded %s is carried on without a look that is due', async (_, act) => {
  const userId = await act();
  await eventually('the event', () => isTold(userId));
});

it('what is recorded while it is at work is not left lying', async () => {
  const people = await Promise.all(Array.from({ length: 40 }, (_, index) => record(index % 2 === 0 ? own : other)));
  await eventually('all of them', async () => (await Promise.all(people.map(isTold))).every(Boolean));
});

it('what was rolled back wakes nobody, and is told by nobody', async () => {
  const [before] = await redis.xrevrange(keys.wake, '+', '-', 'COUNT', 1);
  const event = { action: 'session.opened', actor: { kind: 'service' } } as const;
  const failure = own.database.transact(async (sql) => {
    await own.audit.append(sql, event);
    throw new Error('not this time');
  });
  await expect(failure).rejects.toThrow('not this time');
  expect((await redis.xrevrange(keys.wake, '+', '-', 'COUNT', 1))[0]).toEqual(before);
});
