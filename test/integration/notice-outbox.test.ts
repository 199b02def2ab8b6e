import { randomBytes, randomUUID } from 'node:crypto';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';

import { createNoticeActivities } from '../../src/activities/notice';
import { loadConfig } from '../../src/config/load';
import type { OutboxKey, SweptBatch } from '../../src/contracts/notice-workflow';
import type { NoticeEvent } from '../../src/contracts/notification-jobs';
import { buildProtection } from '../../src/container/protection';
import { createNoticeOutbox } from '../../src/repositories/notice-outbox';
import { createDatabase, type Database } from '../../src/repositories/prisma-client';
import { createProtectDevice } from '../../src/repositories/protected-device';
import { createSessionRepository } from '../../src/repositories/session-repository';
import type { Sql } from '../../src/repositories/sql';
import { createLineLogger } from '../support/log-lines';
import { useStack } from '../support/stack';

const MIN_AGE_MS = 30_000;
const userId = uuidv7();
const origin = { requestId: 'test', ip: '127.0.0.1', userAgent: undefined };

let database: Database;
afterAll(() => database.$disconnect());
const stack = useStack('postgres');
beforeAll(async () => {
  const config = loadConfig(['database', 'keys', 'security'], stack.env);
  database = createDatabase(config.database);
  await buildProtection(config, database).dataKeys.check();
  await database.prisma.user.create({
    data: { id: userId, emailCiphertext: 'x', emailIndex: Buffer.from(userId), emailVerifiedAt: new Date() },
  });
});

const query = <Row extends object>(text: string, ...values: unknown[]) =>
  database.sql<Row>({ name: `test/${Buffer.from(text).toString('hex').slice(0, 40)}`, text }, values);
beforeEach(() => query('DELETE FROM notice_outbox'));

const leave = (count: number, name = 'password:changed', ageMs = 2 * MIN_AGE_MS) =>
  query(
    `INSERT INTO notice_outbox (event_id, name, user_id, created_at)
     SELECT gen_random_uuid(), $1::text, $2::uuid, $3::timestamptz FROM generate_series(1, $4::int)`,
    name,
    userId,
    new Date(Date.now() - ageMs),
    count,
  );
const names = async (): Promise<string[]> =>
  (await query<{ name: string }>('SELECT name FROM notice_outbox ORDER BY name')).map(({ name }) => name);

describe('a sweep of the outbox', () => {
  /** All of it, as the workflow does. */
  const sweep = async (enqueueNotice: (event: NoticeEvent) => Promise<void>) => {
    const logger = createLineLogger();
    const outbox = createNoticeOutbox(database);
    const { sweepNotices } = createNoticeActivities({ outbox, enqueueNotice, minAgeMs: MIN_AGE_MS, logger });
    const batches: SweptBatch[] = [];
    let after: OutboxKey | undefined;
    do {
      const batch = await sweepNotices({ after });
      batches.push(batch);
      after = batch.last;
    } while (after !== undefined);
    return { batches: batches.map(({ enqueued, left }) => ({ enqueued, left })), logger };
  };

  it('takes what is old enough, in batches, each notice once', async () => {
    await leave(501);
    await leave(1, 'session:new-device', 0);
    const seen: string[] = [];
    const { batches } = await sweep((event) => {
      seen.push(event.eventId);
      return Promise.resolve();
    });
    expect(batches).toEqual([
      { enqueued: 500, left: 0 },
      { enqueued: 1, left: 0 },
    ]);
    expect(new Set(seen).size).toBe(501);
    expect(await names()).toEqual(['session:new-device']);
  });

  it('is not held up by notices that cannot be enqueued, and keeps them (one bad address blocking the mail queue)', async () => {
    await leave(500, 'of:a-newer-release');
    await leave(3);
    const { batches, logger } = await sweep(({ name }) =>
      name === 'password:changed' ? Promise.resolve() : Promise.reject(new Error('No such notice')),
    );
    expect(batches.reduce((sum, { enqueued }) => sum + enqueued, 0)).toBe(3);
    expect(new Set(await names())).toEqual(new Set(['of:a-newer-release']));
    expect(logger.lines[0]).toMatchObject({ level: 'warn', message: 'notices could not be enqueued' });
  });

  it('keeps everything while the queue is away', async () => {
    await leave(2);
    const { batches } = await sweep(() => Promise.reject(new Error('away')));
    expect(batches).toEqual([{ enqueued: 0, left: 2 }]);
    expect(await names()).toHaveLength(2);
  });
});

describe('the notice of a new device', () => {
  it('costs a login no statement, whether or not there is one', async () => {
    const config = loadConfig(['database', 'keys', 'security'], stack.env);
    const { audit, blindIndex, ciphers } = buildProtection(config, database);
    const statements: string[] = [];
    const sql: Sql = (statement, values) => {
      statements.push(statement.name);
      return database.sql(statement, values);
    };
    const sessions = createSessionRepository({
      database: { sql },
      audit,
      protectDevice: createProtectDevice(ciphers.fields, blindIndex),
    });
    const open = async (key: string): Promise<boolean> => {
      statements.length = 0;
      const expiresAt = new Date(Date.now() + 60_000);
      const opened = await sessions.create({
        ...{ userId, acr: 'aal1', amr: ['pwd'], expiresAt, origin },
        refreshTokenHash: new Uint8Array(randomBytes(32)),
        refreshTokenExpiresAt: expiresAt,
        device: { key, userAgent: 'Firefox on Android', ip: '127.0.0.*' },
      });
      return opened?.isNewDevice ?? false;
    };
    const known = randomUUID();
    for (const [key, isNew] of [
      // The first device of all is not told.
      [known, false],
      [known, false],
      [randomUUID(), true],
      [known, false],
    ] as const) {
      expect(await open(key)).toBe(isNew);
      expect(statements).toEqual(['session/create']);
    }
    expect(await names()).toEqual(['session:new-device']);
  });
});
