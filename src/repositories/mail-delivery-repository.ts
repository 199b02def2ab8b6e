import type { Database } from './prisma-client';

export interface MailDeliveryRepository {
  /**
   * Runs `send` once per key, ever: it holds the key's row lock meanwhile, so that a second sender waits, and records the
   * acceptance afterwards. Answers false, without calling `send`, where the mail was sent before. When `send` fails or the
   * process dies, the lock is gone with the transaction and the next one may try.
   */
  once(key: string, messageId: string, send: () => Promise<void>): Promise<boolean>;
}

/** A row of its own, so that a mail which nobody could send yet is on record. */
const ADD = {
  name: 'mail-delivery/add',
  text: 'INSERT INTO mail_deliveries (key, message_id) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING',
};
const HOLD = { name: 'mail-delivery/hold', text: 'SELECT sent_at FROM mail_deliveries WHERE key = $1 FOR UPDATE' };
const RECORD = { name: 'mail-delivery/record', text: 'UPDATE mail_deliveries SET sent_at = $2 WHERE key = $1' };

/** @throws when `work` takes longer */
const within = async (timeoutMs: number, work: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`It was not sent within ${String(timeoutMs)} ms`));
    }, timeoutMs);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
};

export const createMailDeliveryRepository = (
  { sql, transact }: Pick<Database, 'sql' | 'transact'>,
  sendTimeoutMs: number,
): MailDeliveryRepository => ({
  async once(key, messageId, send) {
    await sql(ADD, [key, messageId]);
    return transact(async (inTransaction) => {
      const [row] = await inTransaction<{ sent_at: Date | null }>(HOLD, [key]);
      if (row?.sent_at != null) return false;
      await within(sendTimeoutMs, send());
      await inTransaction(RECORD, [key, new Date()]);
      return true;
    });
  },
});
