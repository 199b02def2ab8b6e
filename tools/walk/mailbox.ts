import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import { reach } from './reach';

const mails = z.array(
  z.object({
    subject: z.string().default(''),
    text: z.string().default(''),
  }),
);
type Mail = z.infer<typeof mails>[number];

const TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/**
 * Waits until the mail catcher holds a mail to an address in which `find` finds something.
 *
 * @param expected for the message when none comes
 */
export const mailTo = async <T>(
  mailUrl: string,
  address: string,
  expected: string,
  find: (mail: Mail) => T | undefined,
): Promise<T> => {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const response = await reach(`${mailUrl}/api/email?to.address=${encodeURIComponent(address)}`);
    const received = mails.parse(await response.json());
    for (const mail of received) {
      const found = find(mail);
      if (found !== undefined) return found;
    }
    if (Date.now() > deadline) {
      const subjects = received.map((mail) => `"${mail.subject}"`).join(', ') || 'none';
      throw new Error(`expected ${expected} to ${address} within ${String(TIMEOUT_MS / 1_000)} s, got: ${subjects}`);
    }
    await sleep(POLL_MS);
  }
};
