import type { FieldCipher } from '../contracts/data-protection';
import { contactLocation, type ContactChannel } from '../contracts/contact-change-workflow';
import type { Locale } from '../contracts/locale';

import type { Database } from './prisma-client';
import { userLocation } from './user-fields';

/** A change as the messages about it need it. */
export interface ContactChangeForMessage {
  readonly channel: ContactChannel;
  readonly kind: 'CHANGE' | 'TAKEN' | 'MUTED';
  readonly status: 'OPEN' | 'COMPLETED' | 'EXPIRED' | 'REPLACED';
  readonly expiresAt: Date;
  /** The new number or address; null once it was dropped. */
  readonly contact: string | null;
  /** The one before it, once it has been replaced. */
  readonly previous: string | null;
  /** The address of the account now, for word of a request. */
  readonly accountEmail: string;
  readonly locale: Locale;
}

export interface ContactChangeRepository {
  findForMessage(changeId: string): Promise<ContactChangeForMessage | undefined>;
  /** Whether this very attempt completed a change of the account. */
  wasCompletedBy(userId: string, channel: ContactChannel, attemptId: string): Promise<boolean>;
  /** Closes a change that nobody completed, and drops what it holds in cipher text; also of one that was completed. */
  close(changeId: string): Promise<void>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql'>;
  readonly cipher: Pick<FieldCipher, 'decrypt'>;
}

interface MessageRow {
  readonly channel: 'PHONE' | 'EMAIL';
  readonly kind: ContactChangeForMessage['kind'];
  readonly status: ContactChangeForMessage['status'];
  readonly expires_at: Date;
  readonly contact_ciphertext: string | null;
  readonly previous_ciphertext: string | null;
  readonly user_id: string;
  readonly email_ciphertext: string;
  readonly locale: Locale;
}

const FIND_FOR_MESSAGE = {
  name: 'contact-change/find-for-message',
  text: `
    SELECT c.channel::text, c.kind::text, c.status::text, c.expires_at, c.contact_ciphertext, c.previous_ciphertext, c.user_id,
      u.email_ciphertext, u.locale
    FROM contact_changes c JOIN users u ON u.id = c.user_id WHERE c.id = $1`,
};
const FIND_COMPLETED = {
  name: 'contact-change/find-completed',
  text: `
    SELECT 1 FROM contact_changes
    WHERE user_id = $1 AND channel = $2::contact_channel AND status = 'COMPLETED' AND last_attempt_id = $3`,
};
const CLOSE = {
  name: 'contact-change/close',
  text: `
    UPDATE contact_changes SET contact_ciphertext = NULL, previous_ciphertext = NULL, code_hash = NULL,
      status = CASE WHEN status = 'OPEN' THEN 'EXPIRED' ELSE status END, closed_at = coalesce(closed_at, $2)
    WHERE id = $1`,
};

export const previousLocation = (changeId: string, userId: string) => ({
  table: 'contact_changes',
  column: 'previous_ciphertext',
  rowId: changeId,
  personId: userId,
});

export const databaseChannel = (channel: ContactChannel): 'PHONE' | 'EMAIL' =>
  channel === 'phone' ? 'PHONE' : 'EMAIL';

/** What is looked up of changes, and their end; `contact-change-acts.ts` begins and completes them. */
export const createContactChangeRepository = ({ database, cipher }: Dependencies): ContactChangeRepository => ({
  async findForMessage(changeId) {
    const [row] = await database.sql<MessageRow>(FIND_FOR_MESSAGE, [changeId]);
    if (row === undefined) return undefined;
    const { contact_ciphertext: contact, previous_ciphertext: previous, email_ciphertext: email } = row;
    return {
      channel: row.channel === 'PHONE' ? 'phone' : 'email',
      kind: row.kind,
      status: row.status,
      expiresAt: row.expires_at,
      contact: contact === null ? null : await cipher.decrypt(contact, contactLocation(changeId, row.user_id)),
      previous: previous === null ? null : await cipher.decrypt(previous, previousLocation(changeId, row.user_id)),
      accountEmail: await cipher.decrypt(email, userLocation('email_ciphertext', row.user_id)),
      locale: row.locale,
    };
  },

  async wasCompletedBy(userId, channel, attemptId) {
    return (await database.sql(FIND_COMPLETED, [userId, databaseChannel(channel), attemptId])).length === 1;
  },

  async close(changeId) {
    await database.sql(CLOSE, [changeId, new Date()]);
  },
});
