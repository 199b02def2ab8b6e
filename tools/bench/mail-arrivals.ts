import { setTimeout as sleep } from 'node:timers/promises';

import type { Pool } from 'pg';

/** Twenty-five small queries a second are some 1 % of a core. */
const POLL_MS = 40;

/** Tells when a mail was accepted by the mail server: as soon as a person could read it. */
export const createMailArrivals = (database: Pool) => {
  const waiting = new Map<string, () => void>();
  let polling = false;

  const poll = async (): Promise<void> => {
    polling = true;
    while (waiting.size > 0) {
      await sleep(POLL_MS);
      const { rows } = await database.query<{ key: string }>(
        'SELECT key FROM mail_deliveries WHERE key = ANY($1) AND sent_at IS NOT NULL',
        [[...waiting.keys()]],
      );
      for (const { key } of rows) {
        waiting.get(key)?.();
        waiting.delete(key);
      }
    }
    polling = false;
  };

  return {
    /** Settles when the mail with this delivery key has been sent. */
    arrival: (key: string): Promise<void> =>
      new Promise((resolve, reject) => {
        waiting.set(key, resolve);
        if (!polling) poll().catch(reject);
      }),
  };
};
