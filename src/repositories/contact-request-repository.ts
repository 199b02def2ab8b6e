import { CONTACT_LIMITS } from '../contracts/contact-change';
import {
  CONTACT_RESEND_INTERVAL_MS,
  type ContactChannel,
  type ContactRequest,
  type ContactRequestOutcome,
} from '../contracts/contact-change-workflow';

import { databaseChannel } from './contact-change-repository';
import type { Database } from './prisma-client';
import type { Sql } from './sql';

export interface NewContactChange extends ContactRequest {
  readonly channel: ContactChannel;
  readonly userId: string;
  readonly workflowId: string;
  readonly expiresInMs: number;
}

export interface ContactRequestRepository {
  /**
   * Stores a code that was asked for, within the limits, and takes the one before it its power; a decoy where somebody else has
   * proven the contact or it was sent enough. A second call with the same id changes nothing.
   */
  create(change: NewContactChange): Promise<ContactRequestOutcome>;
}

interface Dependencies {
  readonly database: Pick<Database, 'transact'>;
  readonly codes: {
    code(id: string, issue: number): string;
    hash(id: string, code: string): Uint8Array<ArrayBuffer>;
  };
  /** SMS with codes in the window, over all accounts. */
  readonly smsDailyLimit: number;
}

interface Standing {
  readonly last_issued_at: Date | null;
  readonly oldest_issued_at: Date | null;
  readonly of_account: number;
  readonly of_contact_hour: number;
  readonly of_contact_day: number;
  readonly of_channel: number;
  readonly is_taken: boolean;
}

/** Serialises what one account asks for, and keeps the lock order: account, then its changes. */
const HOLD_ACCOUNT = {
  name: 'contact-request/hold-account',
  text: `SELECT id FROM users WHERE id = $1 AND status = 'ACTIVE' FOR NO KEY UPDATE`,
};
const FIND = {
  name: 'contact-request/find',
  text: 'SELECT created_at, expires_at FROM contact_changes WHERE id = $1 AND user_id = $2',
};
/** Two accounts that ask for one contact at once count each other. */
const LOCK_CONTACT = { name: 'contact-request/lock-contact', text: 'SELECT pg_advisory_xact_lock($1)' };

/** $1 account, $2 channel, $3 contact, $4 start of the window, $5 start of the hour. A phone that nobody has proven is nobody's. */
const READ_STANDING = {
  name: 'contact-request/read-standing',
  text: `
    SELECT own.*, sent.*,
      CASE WHEN $2 = 'PHONE' THEN
          (SELECT count(*)::int FROM contact_changes WHERE channel = 'PHONE' AND created_at > $4 AND kind <> 'MUTED') +
          (SELECT count(*)::int FROM factor_codes WHERE type = 'SMS_OTP' AND created_at > $4)
        ELSE 0 END AS of_channel,
      CASE WHEN $2 = 'PHONE'
        THEN EXISTS (SELECT 1 FROM users WHERE phone_index = $3 AND id <> $1 AND phone_verified_at IS NOT NULL)
        ELSE EXISTS (SELECT 1 FROM users WHERE email_index = $3 AND id <> $1) END AS is_taken
    FROM
      (SELECT max(created_at) AS last_issued_at, min(created_at) AS oldest_issued_at, count(*)::int AS of_account
       FROM contact_changes WHERE user_id = $1 AND channel = $2::contact_channel AND created_at > $4) AS own,
      (SELECT count(*) FILTER (WHERE created_at > $5)::int AS of_contact_hour, count(*)::int AS of_contact_day
       FROM contact_changes WHERE contact_index = $3 AND created_at > $4 AND kind <> 'MUTED') AS sent`,
};
const REPLACE = {
  name: 'contact-request/replace',
  text: `
    UPDATE contact_changes SET status = 'REPLACED', contact_ciphertext = NULL, code_hash = NULL, closed_at = $3
    WHERE user_id = $1 AND channel = $2::contact_channel AND status = 'OPEN'`,
};
/** What no longer counts for a limit and has been told to everybody. */
const FORGET = {
  name: 'contact-request/forget',
  text: `
    DELETE FROM contact_changes
    WHERE user_id = $1 AND channel = $2::contact_channel AND created_at <= $3 AND contact_ciphertext IS NULL`,
};
const INSERT = {
  name: 'contact-request/insert',
  text: `
    INSERT INTO contact_changes (id, workflow_id, user_id, channel, kind, contact_index, contact_ciphertext, code_hash, created_at,
      expires_at)
    VALUES ($1, $2, $3, $4::contact_channel, $5::contact_change_kind, $6, $7, CASE WHEN $5 = 'CHANGE' THEN $8::bytea END, $9, $10)`,
};

export const createContactRequestRepository = (deps: Dependencies): ContactRequestRepository => {
  const { database, codes, smsDailyLimit } = deps;
  const { windowMs, hourMs, perAccount, perContactHour, perContactDay } = CONTACT_LIMITS;

  /** Limits of the account's own: it is told of them. */
  const refusal = (standing: Standing, now: number): ContactRequestOutcome | undefined => {
    const { last_issued_at: last, oldest_issued_at: oldest, of_account: count } = standing;
    const soonMs = (last?.getTime() ?? 0) + CONTACT_RESEND_INTERVAL_MS - now;
    if (soonMs > 0) return { outcome: 'too_soon', retryAfterMs: soonMs };
    if (count >= perAccount) {
      return { outcome: 'limit_reached', retryAfterMs: Math.max(1_000, (oldest?.getTime() ?? now) + windowMs - now) };
    }
    return standing.of_channel >= smsDailyLimit ? { outcome: 'channel_exhausted', retryAfterMs: hourMs } : undefined;
  };

  const kindOf = ({ of_contact_hour: hour, of_contact_day: day, is_taken: isTaken }: Standing) => {
    if (hour >= perContactHour || day >= perContactDay) return 'MUTED';
    return isTaken ? 'TAKEN' : 'CHANGE';
  };

  const insert = async (sql: Sql, change: NewContactChange, kind: string, now: number): Promise<number> => {
    const { changeId, workflowId, userId, channel, contactIndex, contactCiphertext, expiresInMs } = change;
    const owner = [userId, databaseChannel(channel)];
    await sql(REPLACE, [...owner, new Date(now)]);
    await sql(FORGET, [...owner, new Date(now - CONTACT_LIMITS.windowMs)]);
    const expiresAt = now + expiresInMs;
    await sql(INSERT, [
      ...[changeId, workflowId, ...owner, kind, Buffer.from(contactIndex, 'hex'), contactCiphertext],
      ...[codes.hash(changeId, codes.code(changeId, 1)), new Date(now), new Date(expiresAt)],
    ]);
    return expiresAt;
  };

  return {
    create: (change) =>
      database.transact(async (sql): Promise<ContactRequestOutcome> => {
        const { changeId, userId, channel, contactIndex } = change;
        if ((await sql(HOLD_ACCOUNT, [userId])).length === 0) return { outcome: 'closed' };
        const [found] = await sql<{ created_at: Date; expires_at: Date }>(FIND, [changeId, userId]);
        if (found !== undefined) {
          const [issuedAt, expiresAt] = [found.created_at.getTime(), found.expires_at.getTime()];
          return { outcome: 'issued', changeId, issuedAt, expiresAt };
        }
        const index = Buffer.from(contactIndex, 'hex');
        await sql(LOCK_CONTACT, [index.readBigInt64BE(0)]);
        const now = Date.now();
        const since = [new Date(now - windowMs), new Date(now - hourMs)];
        const [standing] = await sql<Standing>(READ_STANDING, [userId, databaseChannel(channel), index, ...since]);
        if (standing === undefined) throw new Error('A statement that always has a row had none');
        const refused = refusal(standing, now);
        if (refused !== undefined) return refused;
        const expiresAt = await insert(sql, change, kindOf(standing), now);
        return { outcome: 'issued', changeId, issuedAt: now, expiresAt };
      }),
  };
};
