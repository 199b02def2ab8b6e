import { v7 as uuidv7 } from 'uuid';

import type { RequestOrigin } from '../contracts/audit';
import {
  CONSENT_HISTORY_LIMIT,
  type ConsentAct,
  type ConsentHistoryEntry,
  type ConsentSource,
} from '../contracts/consent';
import type { FieldCipher } from '../contracts/data-protection';

import { type AuditTrail, type StoredOrigin, storedOrigin } from './audit-trail';
import type { Database } from './prisma-client';
import type { Sql } from './sql';

/** The newest act of a purpose. */
export interface StandingConsent {
  readonly purpose: string;
  readonly version: string;
  readonly act: ConsentAct;
  readonly at: Date;
}

export interface ConsentRepository {
  standing(userId: string): Promise<StandingConsent[]>;
  /** The newest first. */
  history(userId: string, limit?: number): Promise<ConsentHistoryEntry[]>;
  /** Records that it was given; a second time changes nothing. False where there is no such active account. */
  give(userId: string, consent: { purpose: string; version: string }, origin: RequestOrigin): Promise<boolean>;
  /** Likewise that it was withdrawn. `never_given` where there is nothing to withdraw. */
  withdraw(userId: string, purpose: string, origin: RequestOrigin): Promise<'withdrawn' | 'never_given' | 'closed'>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly cipher: FieldCipher;
  readonly audit: Pick<AuditTrail, 'append'>;
}

/** One after the other for an account, so that the newest is what the last one saw and added to. */
const HOLD_ACCOUNT = {
  name: 'consent/hold-account',
  text: `SELECT id FROM users WHERE id = $1 AND status = 'ACTIVE' FOR NO KEY UPDATE`,
};
const STANDING = {
  name: 'consent/standing',
  text: `
    SELECT DISTINCT ON (purpose) purpose, version, lower(act::text) AS act, at FROM consent_records
    WHERE user_id = $1 AND ($2::text IS NULL OR purpose = $2) ORDER BY purpose, at DESC, id DESC`,
};
const HISTORY = {
  name: 'consent/history',
  text: `
    SELECT id, purpose, version, lower(act::text) AS act, lower(source::text) AS source, at, origin_ciphertext
    FROM consent_records WHERE user_id = $1 ORDER BY at DESC, id DESC LIMIT $2`,
};
/** By the clock of the database: those of two processes may disagree about which act is the newest. */
const ADD = {
  name: 'consent/add',
  text: `
    INSERT INTO consent_records (id, user_id, purpose, version, act, source, at, origin_ciphertext)
    VALUES ($1, $2, $3, $4, $5::consent_act, 'ACCOUNT', clock_timestamp(), $6)`,
};

interface HistoryRow extends StandingConsent {
  readonly id: string;
  readonly source: ConsentSource;
  readonly origin_ciphertext: string | null;
}

const location = (rowId: string, personId: string) => ({
  table: 'consent_records',
  column: 'origin_ciphertext',
  rowId,
  personId,
});

export const createConsentRepository = ({ database, cipher, audit }: Dependencies): ConsentRepository => {
  const add = async (
    sql: Sql,
    userId: string,
    { purpose, version, act }: Omit<StandingConsent, 'at'>,
    origin: RequestOrigin,
  ): Promise<void> => {
    const id = uuidv7();
    const originCiphertext = await cipher.encrypt(JSON.stringify(storedOrigin(origin)), location(id, userId));
    await sql(ADD, [id, userId, purpose, version, act.toUpperCase(), originCiphertext]);
    await audit.append(sql, {
      action: `consent.${act}`,
      actor: { kind: 'user', id: userId },
      subjectId: userId,
      origin,
      details: { purpose, version },
    });
  };

  /** Runs `work` with the newest act of a purpose, while nobody adds another one; undefined where the account is not active. */
  const hold = <T>(
    userId: string,
    purpose: string,
    work: (sql: Sql, newest: StandingConsent | undefined) => Promise<T>,
  ): Promise<T | undefined> =>
    database.transact(async (sql) => {
      if ((await sql(HOLD_ACCOUNT, [userId])).length === 0) return undefined;
      const [newest] = await sql<StandingConsent & { id: string }>(STANDING, [userId, purpose]);
      return work(sql, newest);
    });

  const originOf = async (ciphertext: string, rowId: string, userId: string): Promise<StoredOrigin> =>
    JSON.parse(await cipher.decrypt(ciphertext, location(rowId, userId))) as StoredOrigin;

  const toEntry = async ({ id, origin_ciphertext: ciphertext, ...row }: HistoryRow, userId: string) => {
    const { ip = null, userAgent = null } = ciphertext === null ? {} : await originOf(ciphertext, id, userId);
    return { ...row, at: row.at.toISOString(), ip, userAgent };
  };

  return {
    standing: (userId) => database.sql<StandingConsent & { id: string }>(STANDING, [userId, null]),

    async history(userId, limit = CONSENT_HISTORY_LIMIT) {
      const rows = await database.sql<HistoryRow>(HISTORY, [userId, limit]);
      return Promise.all(rows.map((row) => toEntry(row, userId)));
    },

    async give(userId, { purpose, version }, origin) {
      const given = await hold(userId, purpose, async (sql, newest) => {
        if (newest?.act !== 'given' || newest.version !== version)
          await add(sql, userId, { purpose, version, act: 'given' }, origin);
        return true;
      });
      return given ?? false;
    },

    async withdraw(userId, purpose, origin) {
      const outcome = await hold(userId, purpose, async (sql, newest) => {
        if (newest === undefined) return 'never_given' as const;
        if (newest.act === 'given')
          await add(sql, userId, { purpose, version: newest.version, act: 'withdrawn' }, origin);
        return 'withdrawn' as const;
      });
      return outcome ?? 'closed';
    },
  };
};
