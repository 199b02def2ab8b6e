import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';

import { loadConfig } from '../../src/config/load';
import { createMailTransport } from '../../src/mail/mail-transport';
import { createMailer } from '../../src/mail/mailer';
import { messageIdFor } from '../../src/mail/message-id';
import {
  createMailDeliveryRepository,
  type MailDeliveryRepository,
} from '../../src/repositories/mail-delivery-repository';
import { createDatabase, type Database } from '../../src/repositories/prisma-client';
import { startChild } from '../support/child';
import { eventually } from '../support/eventually';
import { HANG, startSmtpServer } from '../support/smtp-server';
import { useStack } from '../support/stack';

const TRANSACTION_MS = 20_000;

let pool: Pool;
let database: Database;
let deliveries: MailDeliveryRepository;

// Hooks run in the order in which they are registered: this one before the stack stops.
afterAll(async () => {
  await database.$disconnect();
  await pool.end();
});
const stack = useStack('postgres');
beforeAll(() => {
  const config = loadConfig(['database'], stack.env);
  pool = new Pool({ connectionString: config.database.url, max: 2 });
  // Idle connections may end with the database.
  pool.on('error', () => undefined);
  database = createDatabase(config.database);
  deliveries = createMailDeliveryRepository(database, TRANSACTION_MS);
});

const recordOf = async (key: string) => {
  const { rows } = await pool.query<{ message_id: string; sent_at: Date | null }>(
    'SELECT message_id, sent_at FROM mail_deliveries WHERE key = $1',
    [key],
  );
  return rows;
};

describe('a mail that must go out once', () => {
  it('goes out once, though twenty want to send it at the same time', async () => {
    const key = `welcome/${randomUUID()}`;
    const [sent, running] = [[] as number[], { now: 0, most: 0 }];
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        deliveries.once(key, '<1@meqenet.et>', async () => {
          running.now += 1;
          running.most = Math.max(running.most, running.now);
          await sleep(100);
          sent.push(index);
          running.now -= 1;
        }),
      ),
    );
    expect(sent).toHaveLength(1);
    expect(running.most).toBe(1);
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(await recordOf(key)).toEqual([{ message_id: '<1@meqenet.et>', sent_at: expect.any(Date) }]);
    expect(await deliveries.once(key, '<1@meqenet.et>', () => Promise.reject(new Error('sent again')))).toBe(false);
  });

  it('holds up no other one', async () => {
    let release = (): void => undefined;
    let begun = (): void => undefined;
    const sending = new Promise<void>((resolve) => (begun = resolve));
    const slow = deliveries.once(`slow/${randomUUID()}`, '<2@meqenet.et>', () => {
      begun();
      return new Promise((resolve) => (release = resolve));
    });
    await sending;
    const begin = performance.now();
    expect(await deliveries.once(`quick/${randomUUID()}`, '<3@meqenet.et>', () => Promise.resolve())).toBe(true);
    expect(performance.now() - begin).toBeLessThan(2_000);
    release();
    expect(await slow).toBe(true);
  });

  it('that was not accepted is not called sent, and the next one may try (kratos#732, keycloak#36409)', async () => {
    const key = `welcome/${randomUUID()}`;
    const refused = new Error('451 later');
    await expect(deliveries.once(key, '<4@meqenet.et>', () => Promise.reject(refused))).rejects.toBe(refused);
    expect(await recordOf(key)).toEqual([{ message_id: '<4@meqenet.et>', sent_at: null }]);

    let tries = 0;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, () =>
        deliveries.once(key, '<4@meqenet.et>', async () => {
          tries += 1;
          if (tries < 3) throw refused;
        }),
      ),
    );
    expect(tries).toBe(3);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(2);
    expect((await recordOf(key))[0]?.sent_at).toBeInstanceOf(Date);
  });

  it('whose sender is killed while it sends is sent by the next one at once, with the same Message-ID (kratos#1598)', async () => {
    const userId = randomUUID();
    const to = 'abebe@example.et';
    const hanging = await startSmtpServer({ MESSAGE: HANG });
    const working = await startSmtpServer();
    const sender = startChild<object>('sender.ts', {
      ...stack.env,
      SMTP_PORT: String(hanging.port),
      SMTP_HOST: '127.0.0.1',
      SMTP_TIMEOUT: '20s',
      USER_ID: userId,
      MAIL_TO: to,
    });
    const transport = createMailTransport({
      ...loadConfig(['mail'], stack.env).mail,
      host: '127.0.0.1',
      port: working.port,
    });
    const mailer = createMailer({ transport, deliveries, from: 'Meqenet <no-reply@meqenet.et>' });
    try {
      await eventually('the sender to send', async () => hanging.commands.includes('DATA'));
      // While it lives nobody else sends.
      let second: boolean | undefined;
      const waiting = mailer.sendWelcome({ userId, to, locale: 'en' }).then((sent) => (second = sent));
      await sleep(500);
      expect(second).toBeUndefined();
      expect(working.commands).toEqual([]);

      const begin = performance.now();
      await sender.kill();
      expect(await waiting).toBe(true);
      expect(performance.now() - begin).toBeLessThan(3_000);
      expect(sender.messages).toEqual([]);

      const messageId = messageIdFor(`welcome/${userId}`, 'meqenet.et');
      expect(working.messages).toHaveLength(1);
      expect(working.messages[0]).toContain(`Message-ID: ${messageId}`);
      expect(await recordOf(`welcome/${userId}`)).toEqual([{ message_id: messageId, sent_at: expect.any(Date) }]);
      expect(await mailer.sendWelcome({ userId, to, locale: 'en' })).toBe(false);
      expect(working.messages).toHaveLength(1);
    } finally {
      await sender.kill();
      transport.close();
      await Promise.all([hanging.close(), working.close()]);
    }
  });

  it('keeps nothing of its recipient in its record', async () => {
    const { rows } = await pool.query<{ line: string }>('SELECT t::text AS line FROM mail_deliveries t');
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.map(({ line }) => line).join('\n')).not.toMatch(/abebe|example/);
  });
});
