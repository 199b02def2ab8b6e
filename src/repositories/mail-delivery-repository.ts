import type { Database } from './prisma-client';

export interface MailDeliveryRepository {
  /**
   * Runs `send` once per key, ever: it holds the key's row lock meanwhile, so that a second sender waits, and records the
   * acceptance afterwards. Answers false, without calling `send`, where the mail was sent before. When `send` fails or the
   * process dies, the lock is gone with the transaction and the next one may try.
   */
  once(key: string, messageId: string, send: () => Promise<void>): Promise<boolean>;
}

export const createMailDeliveryRepository = (database: Database, sendTimeoutMs: number): MailDeliveryRepository => ({
  async once(key, messageId, send) {
    await database.mailDelivery.createMany({ data: { key, messageId }, skipDuplicates: true });
    return database.$transaction(
      async (transaction) => {
        const [row] = await transaction.$queryRaw<{ sent_at: Date | null }[]>`
          SELECT sent_at FROM mail_deliveries WHERE key = ${key} FOR UPDATE`;
        if (row?.sent_at != null) return false;
        await send();
        await transaction.mailDelivery.update({ where: { key }, data: { sentAt: new Date() } });
        return true;
      },
      { timeout: sendTimeoutMs },
    );
  },
});
