import { DatabaseError } from 'pg';

import type { RequestOrigin } from '../contracts/audit';
import {
  type ContactAttempt,
  type ContactAttemptOutcome,
  contactLocation,
  contactOriginLocation,
} from '../contracts/contact-change-workflow';
import type { FieldCipher } from '../contracts/data-protection';
import { MAX_CODE_ATTEMPTS } from '../contracts/registration';

import { type AuditTrail, insertAuditEvents, type SealedEvents } from './audit-trail';
import { previousLocation } from './contact-change-repository';
import type { Database } from './prisma-client';
import type { Sql } from './sql';
import { userLocation } from './user-fields';

export interface ContactConfirmRepository {
  /**
   * Tries a code. The right one gives the account its new number or address in one transaction with all that follows; `attemptId`
   * makes a repeated call the same try.
   */
  confirm(attempt: ContactAttempt & { readonly changeId: string }): Promise<ContactAttemptOutcome>;
}

interface Dependencies {
  readonly database: Pick<Database, 'transact'>;
  readonly cipher: FieldCipher;
  readonly audit: AuditTrail;
  readonly codes: { matches(storedHash: Uint8Array | null, id: string, code: string): boolean };
  /** Changes wait so long after one of the phone, milliseconds. */
  readonly highRiskHoldMs: number;
}

interface ChangeRow {
  readonly id: string;
  readonly user_id: string;
  readonly workflow_id: string;
  readonly channel: 'PHONE' | 'EMAIL';
  readonly status: string;
  readonly contact_index: Buffer;
  readonly contact_ciphertext: string | null;
  readonly code_hash: Buffer | null;
  readonly failed_attempts: number;
  readonly last_attempt_id: string | null;
  readonly released_user_id: string | null;
  readonly previous_ciphertext: string | null;
  readonly expires_at: Date;
  readonly closed_at: Date | null;
}

interface AccountRow {
  readonly id: string;
  readonly status: string;
  readonly email_ciphertext: string;
  readonly email_index: Buffer;
  readonly phone_ciphertext: string | null;
  readonly phone_index: Buffer | null;
  readonly phone_verified_at: Date | null;
  readonly phone_changed_at: Date | null;
}

/** The account and whoever else has the contact, in one order, before the change itself: as every other writer does. */
const HOLD_ACCOUNTS = {
  name: 'contact-confirm/hold-accounts',
  text: `
    SELECT u.id, u.status::text, u.email_ciphertext, u.email_index, u.phone_ciphertext, u.phone_index, u.phone_verified_at,
      u.phone_changed_at
    FROM users u WHERE u.id = ANY(ARRAY(
      SELECT user_id FROM contact_changes WHERE id = $1
      UNION ALL SELECT o.id FROM contact_changes c JOIN users o ON o.phone_index = c.contact_index
        WHERE c.id = $1 AND c.channel = 'PHONE'
      UNION ALL SELECT o.id FROM contact_changes c JOIN users o ON o.email_index = c.contact_index
        WHERE c.id = $1 AND c.channel = 'EMAIL'))
    ORDER BY u.id FOR UPDATE`,
};
const HOLD_CHANGE = {
  name: 'contact-confirm/hold-change',
  text: `
    SELECT id, user_id, workflow_id, channel::text, status::text, contact_index, contact_ciphertext, code_hash, failed_attempts,
      last_attempt_id, released_user_id, previous_ciphertext, expires_at, closed_at
    FROM contact_changes WHERE id = $1 FOR UPDATE`,
};
const COUNT_WRONG_ATTEMPT = {
  name: 'contact-confirm/count-wrong-attempt',
  text: `
    WITH audited AS (${insertAuditEvents('$4')})
    UPDATE contact_changes SET failed_attempts = failed_attempts + 1, last_attempt_id = $2,
      code_hash = CASE WHEN $3::boolean THEN NULL ELSE code_hash END
    WHERE id = $1`,
};
const RELEASE_PHONE = {
  name: 'contact-confirm/release-phone',
  text: 'UPDATE users SET phone_ciphertext = NULL, phone_index = NULL, updated_at = $2 WHERE id = $1',
};
const SET_PHONE = {
  name: 'contact-confirm/set-phone',
  text: `
    UPDATE users SET phone_ciphertext = $2, phone_index = $3, phone_verified_at = $4, updated_at = $4,
      phone_changed_at = CASE WHEN $5::boolean THEN $4 ELSE phone_changed_at END
    WHERE id = $1`,
};
const SET_EMAIL = {
  name: 'contact-confirm/set-email',
  text: `
    UPDATE users SET email_ciphertext = $2, email_index = $3, email_verified_at = $4, updated_at = $4 WHERE id = $1`,
};
/** A link that was mailed to the old address sets no password any more, and is not renewed. */
const END_PASSWORD_RESETS = {
  name: 'contact-confirm/end-password-resets',
  text: `
    UPDATE password_resets SET status = 'EXPIRED', token_hash = NULL, closed_at = $2 WHERE user_id = $1 AND status = 'OPEN'`,
};
const END_OTHER_SESSIONS = {
  name: 'contact-confirm/end-other-sessions',
  text: `
    WITH live AS (
      SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND id <> $3 ORDER BY id FOR UPDATE
    )
    UPDATE sessions SET ended_at = $2, ended_by = 'EMAIL_CHANGED' FROM live WHERE sessions.id = live.id`,
};
/** The last statement of its transaction: it holds the audit chain. */
const COMPLETE = {
  name: 'contact-confirm/complete',
  text: `
    WITH audited AS (${insertAuditEvents('$6')})
    UPDATE contact_changes SET status = 'COMPLETED', closed_at = $2, last_attempt_id = $3, code_hash = NULL,
      previous_ciphertext = $4, released_user_id = $5
    WHERE id = $1`,
};

/** PostgreSQL: unique_violation. */
const isTakenMeanwhile = (error: unknown): boolean => error instanceof DatabaseError && error.code === '23505';

/** As it is now that its row is held. */
const hasContact = ({ phone_index, email_index }: AccountRow, { channel, contact_index: index }: ChangeRow): boolean =>
  channel === 'PHONE' ? phone_index?.equals(index) === true : email_index.equals(index);

const INVALID: ContactAttemptOutcome = { outcome: 'invalid_code' };

export const createContactConfirmRepository = (deps: Dependencies): ContactConfirmRepository => {
  const { database, cipher, audit, codes, highRiskHoldMs } = deps;

  const originOf = async (row: ChangeRow, { originCiphertext }: ContactAttempt): Promise<RequestOrigin> =>
    JSON.parse(await cipher.decrypt(originCiphertext, contactOriginLocation(row.user_id))) as RequestOrigin;

  const eventOf = async (row: ChangeRow, attempt: ContactAttempt) => ({
    actor: { kind: 'user', id: row.user_id } as const,
    subjectId: row.user_id,
    origin: await originOf(row, attempt),
    workflowId: row.workflow_id,
  });

  /** A wrong code, or the right one of a contact that somebody else has proven since, which is a decoy from here on. */
  const refuse = async (sql: Sql, row: ChangeRow, attempt: ContactAttempt, isDecoy: boolean) => {
    const action = row.channel === 'PHONE' ? 'user.phone_change_failed' : 'user.email_change_failed';
    const details = { code: 'invalid_code' };
    const event = await audit.seal({ ...(await eventOf(row, attempt)), action, outcome: 'failure', details });
    await sql(COUNT_WRONG_ATTEMPT, [row.id, attempt.attemptId, isDecoy, event]);
    return INVALID;
  };

  /** @returns what the account had before */
  const setPhone = async (sql: Sql, row: ChangeRow, account: AccountRow, contact: string, now: Date) => {
    const location = userLocation('phone_ciphertext', account.id);
    const differs = account.phone_index?.equals(row.contact_index) !== true;
    await sql(SET_PHONE, [account.id, await cipher.encrypt(contact, location), row.contact_index, now, differs]);
    const { phone_ciphertext: previous } = account;
    return { differs, previous: previous === null ? null : await cipher.decrypt(previous, location) };
  };

  const setEmail = async (
    sql: Sql,
    row: ChangeRow,
    account: AccountRow,
    contact: string,
    { now, sessionId }: { now: Date; sessionId: string },
  ) => {
    const location = userLocation('email_ciphertext', account.id);
    const differs = !account.email_index.equals(row.contact_index);
    await sql(SET_EMAIL, [account.id, await cipher.encrypt(contact, location), row.contact_index, now]);
    if (differs) {
      await sql(END_PASSWORD_RESETS, [account.id, now]);
      await sql(END_OTHER_SESSIONS, [account.id, now, sessionId]);
    }
    return { differs, previous: await cipher.decrypt(account.email_ciphertext, location) };
  };

  /** In the transaction of the change. */
  const sealEvents = async (
    row: ChangeRow,
    attempt: ContactAttempt,
    { differs, releasedUserId }: { differs: boolean; releasedUserId: string | undefined },
  ): Promise<SealedEvents> => {
    const event = await eventOf(row, attempt);
    const action = row.channel === 'PHONE' ? 'user.phone_changed' : 'user.email_changed';
    const changed = { ...event, action, details: { changeId: row.id, differs } } as const;
    if (releasedUserId === undefined) return audit.seal(changed);
    // The other account's trail does not hold where its successor came from.
    const { actor, workflowId } = event;
    return audit.seal({ actor, workflowId, action: 'user.phone_released', subjectId: releasedUserId }, changed);
  };

  const complete = async (
    sql: Sql,
    row: ChangeRow,
    { account, holder }: { account: AccountRow; holder: AccountRow | undefined },
    attempt: ContactAttempt,
  ): Promise<ContactAttemptOutcome> => {
    const now = new Date();
    const contact = await cipher.decrypt(row.contact_ciphertext ?? '', contactLocation(row.id, row.user_id));
    if (holder !== undefined) await sql(RELEASE_PHONE, [holder.id, now]);
    const { differs, previous } =
      row.channel === 'PHONE'
        ? await setPhone(sql, row, account, contact, now)
        : await setEmail(sql, row, account, contact, { now, sessionId: attempt.sessionId });
    const previousCiphertext =
      differs && previous !== null ? await cipher.encrypt(previous, previousLocation(row.id, row.user_id)) : null;
    const events = await sealEvents(row, attempt, { differs, releasedUserId: holder?.id });
    await sql(COMPLETE, [row.id, now, attempt.attemptId, previousCiphertext, holder?.id ?? null, events]);
    return { outcome: 'changed', differs, hadPrevious: previousCiphertext !== null, releasedUserId: holder?.id };
  };

  /** This very attempt did it, and its answer was lost on the way to Temporal: nothing has been told or dropped yet. */
  const completedBefore = (row: ChangeRow, accounts: readonly AccountRow[]): ContactAttemptOutcome => {
    const hadPrevious = row.previous_ciphertext !== null;
    const account = accounts.find(({ id }) => id === row.user_id);
    const isNewPhone = row.closed_at !== null && account?.phone_changed_at?.getTime() === row.closed_at.getTime();
    return {
      outcome: 'changed',
      differs: row.channel === 'PHONE' ? isNewPhone : hadPrevious,
      hadPrevious,
      releasedUserId: row.released_user_id ?? undefined,
    };
  };

  /** Why no code can be right now; undefined where one can. */
  const refusalBefore = (row: ChangeRow, account: AccountRow | undefined): ContactAttemptOutcome | undefined => {
    if (row.status !== 'OPEN' || account?.status !== 'ACTIVE' || row.expires_at <= new Date()) return INVALID;
    if (row.failed_attempts >= MAX_CODE_ATTEMPTS) return { outcome: 'too_many_attempts' };
    const heldMs = (account.phone_changed_at?.getTime() ?? 0) + highRiskHoldMs - Date.now();
    return heldMs > 0 ? { outcome: 'cooling_off', retryAfterMs: heldMs } : undefined;
  };

  const tryCode = async (sql: Sql, changeId: string, attempt: ContactAttempt): Promise<ContactAttemptOutcome> => {
    const accounts = await sql<AccountRow>(HOLD_ACCOUNTS, [changeId]);
    const [row] = await sql<ChangeRow>(HOLD_CHANGE, [changeId]);
    if (row === undefined) return INVALID;
    if (row.last_attempt_id === attempt.attemptId)
      return row.status === 'COMPLETED' ? completedBefore(row, accounts) : INVALID;
    const account = accounts.find(({ id }) => id === row.user_id);
    const refused = refusalBefore(row, account);
    if (refused !== undefined || account === undefined) return refused ?? INVALID;
    const isRight = codes.matches(row.code_hash, row.id, attempt.code) && row.contact_ciphertext !== null;
    if (!isRight) return refuse(sql, row, attempt, false);
    const holder = accounts.find((other) => other.id !== row.user_id && hasContact(other, row));
    const isTaken = holder !== undefined && (row.channel === 'EMAIL' || holder.phone_verified_at !== null);
    return isTaken ? refuse(sql, row, attempt, true) : complete(sql, row, { account, holder }, attempt);
  };

  return {
    async confirm({ changeId, ...attempt }) {
      const once = () => database.transact((sql) => tryCode(sql, changeId, attempt));
      try {
        return await once();
      } catch (error) {
        // An account with this contact was opened since it was looked for: the second look finds it.
        if (isTakenMeanwhile(error)) return once();
        throw error;
      }
    },
  };
};
