import type { FactorCodeRefusal, SentFactor } from '../contracts/factor-code-workflow';
import { FACTOR_CODE_LIMITS, FACTOR_CODE_MS, MAX_FACTOR_ATTEMPTS } from '../contracts/mfa';

import {
  COUNT_WRONG,
  FIND,
  FIND_OPEN,
  FORGET,
  HOLD_ACCOUNT,
  INSERT,
  READ_STANDING,
  REPLACE,
  USE,
  WITHDRAW,
} from './factor-code-statements';
import { FACTOR_TYPES } from './factor-kinds';
import type { Database } from './prisma-client';
import type { Sql } from './sql';

type Bytes = Uint8Array<ArrayBuffer>;

/** What a code is for, and whose it is: it is good there and nowhere else (ASVS 6.6.2). */
export interface FactorCodeUse {
  readonly userId: string;
  readonly factor: SentFactor;
  readonly purpose: 'ENROLLMENT' | 'LOGIN' | 'STEP_UP';
  /** The login, session or enrolment. */
  readonly boundTo: Bytes;
}
export interface IssuedFactorCode {
  readonly codeId: string;
  readonly expiresAt: Date;
}

/** Codes that are sent as second factors. Where `sql` is taken it is the caller's transaction, which holds the account. */
export interface FactorCodeRepository {
  /**
   * Stores a code within the limits; the one before it for the same use works no more. A second call with the same id changes
   * nothing. For an enrolment the account need not have the factor yet.
   */
  issue(sql: Sql, code: FactorCodeUse & { readonly codeId: string }): Promise<IssuedFactorCode | FactorCodeRefusal>;
  /** The same, in a transaction of its own. */
  request(code: FactorCodeUse & { readonly codeId: string }): Promise<IssuedFactorCode | FactorCodeRefusal>;
  /** Takes a code back that will not be sent: it counts for no limit. */
  withdraw(codeId: string): Promise<void>;
  /** Whether the code is right, which uses it up: of all who show it at once one is told true. The fifth wrong one ends it. */
  prove(sql: Sql, use: FactorCodeUse, code: string): Promise<boolean>;
  /** The same, in a transaction of its own. */
  tryCode(use: FactorCodeUse, code: string): Promise<boolean>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly codes: {
    code(id: string, issue: number): string;
    hash(id: string, code: string): Bytes;
    matches(storedHash: Uint8Array | null, id: string, code: string): boolean;
  };
  /** SMS with codes in 24 hours, over all accounts. */
  readonly smsDailyLimit: number;
  /** An SMS proves nothing for so long after a change of the phone (SIM swap), milliseconds. */
  readonly highRiskHoldMs: number;
}

interface AccountRow {
  readonly email_index: Buffer;
  readonly phone_index: Buffer | null;
  readonly phone_verified_at: Date | null;
  readonly phone_changed_at: Date | null;
  readonly has_factor: boolean;
}
interface Standing {
  readonly last_at: Date | null;
  readonly oldest_of_hour: Date | null;
  readonly oldest_of_day: Date | null;
  readonly of_hour: number;
  readonly of_day: number;
  readonly of_contact: number;
  readonly of_sms: number;
}

const { intervalMs, perHour, perDay, perContactHour, hourMs, dayMs } = FACTOR_CODE_LIMITS;

export const createFactorCodeRepository = (deps: Dependencies): FactorCodeRepository => {
  const { database, codes, smsDailyLimit, highRiskHoldMs } = deps;

  /** Where the code goes, as its index, or why it goes nowhere. */
  const contactOf = (
    account: AccountRow | undefined,
    { factor, purpose }: FactorCodeUse,
    now: number,
  ): { readonly index: Buffer } | FactorCodeRefusal => {
    if (account === undefined) return { refused: 'closed' };
    if (purpose !== 'ENROLLMENT' && !account.has_factor) return { refused: 'factor_not_found' };
    if (factor === 'email_otp') return { index: account.email_index };
    const { phone_index: index, phone_verified_at: verifiedAt, phone_changed_at: changedAt } = account;
    if (index === null || verifiedAt === null) return { refused: 'phone_not_verified' };
    const heldMs = (changedAt?.getTime() ?? 0) + highRiskHoldMs - now;
    return heldMs > 0 ? { refused: 'cooling_off', retryAfterMs: heldMs } : { index };
  };

  const refusalOf = (standing: Standing | undefined, now: number): FactorCodeRefusal | undefined => {
    if (standing === undefined) return undefined;
    const { last_at: last, oldest_of_hour: ofHour, oldest_of_day: ofDay } = standing;
    const soonMs = (last?.getTime() ?? 0) + intervalMs - now;
    if (soonMs > 0) return { refused: 'too_soon', retryAfterMs: soonMs };
    const until = (oldest: Date | null, windowMs: number) =>
      Math.max(1_000, (oldest?.getTime() ?? now) + windowMs - now);
    if (standing.of_day >= perDay) return { refused: 'limit_reached', retryAfterMs: until(ofDay, dayMs) };
    if (standing.of_hour >= perHour || standing.of_contact >= perContactHour)
      return { refused: 'limit_reached', retryAfterMs: until(ofHour, hourMs) };
    return standing.of_sms >= smsDailyLimit ? { refused: 'channel_exhausted', retryAfterMs: hourMs } : undefined;
  };

  const repository: FactorCodeRepository = {
    async issue(sql, { codeId, ...use }) {
      const { userId, factor, purpose, boundTo } = use;
      const type = FACTOR_TYPES[factor];
      const [account] = await sql<AccountRow>(HOLD_ACCOUNT, [userId, type]);
      const [found] = await sql<{ expires_at: Date }>(FIND, [codeId, userId]);
      if (found !== undefined) return { codeId, expiresAt: found.expires_at };
      const now = Date.now();
      const contact = contactOf(account, use, now);
      if ('refused' in contact) return contact;
      const since = [new Date(now - dayMs), new Date(now - hourMs)];
      const [standing] = await sql<Standing>(READ_STANDING, [userId, type, contact.index, ...since]);
      const refused = refusalOf(standing, now);
      if (refused !== undefined) return refused;
      await sql(REPLACE, [userId, type, purpose, boundTo]);
      await sql(FORGET, [userId, type, new Date(now - dayMs)]);
      const [hash, expiresAt] = [codes.hash(codeId, codes.code(codeId, 1)), new Date(now + FACTOR_CODE_MS)];
      await sql(INSERT, [codeId, userId, type, purpose, boundTo, contact.index, hash, new Date(now), expiresAt]);
      return { codeId, expiresAt };
    },

    request: (code) => database.transact((sql) => repository.issue(sql, code)),

    async withdraw(codeId) {
      await database.sql(WITHDRAW, [codeId]);
    },

    async prove(sql, { userId, factor, purpose, boundTo }, code) {
      const values = [userId, FACTOR_TYPES[factor], purpose, boundTo, new Date()];
      const [row] = await sql<{ id: string; code_hash: Buffer }>(FIND_OPEN, values);
      if (!codes.matches(row?.code_hash ?? null, row?.id ?? '', code)) {
        if (row !== undefined) await sql(COUNT_WRONG, [row.id, MAX_FACTOR_ATTEMPTS]);
        return false;
      }
      await sql(USE, [row?.id]);
      return true;
    },

    tryCode: (use, code) => database.transact((sql) => repository.prove(sql, use, code)),
  };
  return repository;
};
