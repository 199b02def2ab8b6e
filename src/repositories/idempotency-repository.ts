import type { FieldCipher } from '../contracts/data-protection';
import { IDEMPOTENCY_KEY_LIFE_MS, type IdempotentRequest } from '../contracts/idempotency';

import type { Database } from './prisma-client';

type Identity = Pick<IdempotentRequest, 'id' | 'fingerprint'>;

export type Claim =
  /** The caller holds the lease and must record, release, or let it run out. */
  | { readonly outcome: 'claimed' }
  /** It was answered before. */
  | { readonly outcome: 'answered'; readonly answer: string }
  /** Somebody works on it. */
  | { readonly outcome: 'in_flight' }
  /** The key belongs to a request with other content. */
  | { readonly outcome: 'reused' };

/** The holder of a key. `lease` is a UUID that nobody else has. */
export interface Holder {
  readonly id: Uint8Array<ArrayBuffer>;
  readonly lease: string;
}

export interface IdempotencyRepository {
  /** Takes a key that is new, expired, or left behind by a holder whose lease ran out; of many who ask, one gets it. */
  claim(request: Identity, lease: string, leaseMs: number): Promise<Claim>;
  /** Prolongs the lease. False when it is somebody else's by now, as for `record` and `release`. */
  renew(holder: Holder, leaseMs: number): Promise<boolean>;
  /** Remembers the answer, once: a holder that was overtaken cannot. */
  record(holder: Holder, answer: string): Promise<boolean>;
  /** Gives the key back unanswered. It stays bound to its content. */
  release(holder: Holder): Promise<boolean>;
  /** Drops some of what has expired. @returns how many */
  purge(limit: number): Promise<number>;
}

/** The database's clock alone decides: the clocks of two processes may differ by more than a lease. */
const AFTER = (parameter: string): string => `now() + ${parameter} * interval '1 millisecond'`;

/**
 * One statement, so that there is no moment between looking and taking. Where nothing was taken the second part tells why;
 * it sees the table as of the start of the statement, so a key that was taken a moment later gives no row at all.
 */
const CLAIM = {
  name: 'idempotency/claim',
  text: `
    WITH claimed AS (
      INSERT INTO idempotency_keys AS k (id, fingerprint, lease, lease_expires_at, expires_at)
      VALUES ($1, $2, $3, ${AFTER('$4')}, ${AFTER('$5')})
      ON CONFLICT (id) DO UPDATE SET
        fingerprint = excluded.fingerprint, lease = excluded.lease, lease_expires_at = excluded.lease_expires_at,
        answer_ciphertext = NULL,
        expires_at = CASE WHEN k.expires_at <= now() THEN excluded.expires_at ELSE k.expires_at END
      WHERE k.expires_at <= now()
        OR (k.answer_ciphertext IS NULL AND k.lease_expires_at <= now() AND k.fingerprint = excluded.fingerprint)
      RETURNING id
    )
    SELECT true AS claimed, NULL AS answer, true AS same FROM claimed
    UNION ALL
    SELECT false, answer_ciphertext, fingerprint = $2 FROM idempotency_keys
    WHERE id = $1 AND expires_at > now() AND NOT EXISTS (SELECT 1 FROM claimed)`,
};
interface ClaimRow {
  readonly claimed: boolean;
  readonly answer: string | null;
  readonly same: boolean;
}

const HELD = 'id = $1 AND lease = $2 AND answer_ciphertext IS NULL';
const RENEW = {
  name: 'idempotency/renew',
  text: `UPDATE idempotency_keys SET lease_expires_at = ${AFTER('$3')} WHERE ${HELD} RETURNING 1 AS held`,
};
const RECORD = {
  name: 'idempotency/record',
  text: `UPDATE idempotency_keys SET answer_ciphertext = $3 WHERE ${HELD} RETURNING 1 AS held`,
};
/** Before now, since the column rounds to milliseconds. */
const RELEASE = {
  name: 'idempotency/release',
  text: `UPDATE idempotency_keys SET lease_expires_at = now() - interval '1 second' WHERE ${HELD} RETURNING 1 AS held`,
};
/** Rows that somebody is taking at this moment are passed over, so it waits for nobody and cannot deadlock. */
const PURGE = {
  name: 'idempotency/purge',
  text: `
    DELETE FROM idempotency_keys WHERE id = ANY(ARRAY(
      SELECT id FROM idempotency_keys WHERE expires_at <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )) RETURNING 1 AS dropped`,
};

/** Keys of requests that may be repeated. Answers are encrypted, bound to their row. */
export const createIdempotencyRepository = (
  { sql }: Pick<Database, 'sql'>,
  cipher: FieldCipher,
): IdempotencyRepository => {
  const location = (id: Uint8Array) => ({
    table: 'idempotency_keys',
    column: 'answer_ciphertext',
    rowId: Buffer.from(id).toString('hex'),
  });

  return {
    async claim({ id, fingerprint }, lease, leaseMs) {
      const [row] = await sql<ClaimRow>(CLAIM, [id, fingerprint, lease, leaseMs, IDEMPOTENCY_KEY_LIFE_MS]);
      if (row?.claimed === true) return { outcome: 'claimed' };
      if (row?.same === false) return { outcome: 'reused' };
      return row === undefined || row.answer === null
        ? { outcome: 'in_flight' }
        : { outcome: 'answered', answer: await cipher.decrypt(row.answer, location(id)) };
    },

    async renew({ id, lease }, leaseMs) {
      return (await sql(RENEW, [id, lease, leaseMs])).length === 1;
    },

    async record({ id, lease }, answer) {
      return (await sql(RECORD, [id, lease, await cipher.encrypt(answer, location(id))])).length === 1;
    },

    async release({ id, lease }) {
      return (await sql(RELEASE, [id, lease])).length === 1;
    },

    async purge(limit) {
      return (await sql(PURGE, [limit])).length;
    },
  };
};
