import { MAX_FACTOR_ATTEMPTS, SHOWABLE_FACTORS, type ShowableFactor } from '../contracts/mfa';

import { kindOf } from './factor-kinds';
import type { Database } from './prisma-client';

type Hash = Uint8Array<ArrayBuffer>;

export interface NewLoginChallenge {
  readonly tokenHash: Hash;
  readonly userId: string;
  readonly passwordChangedAt: Date;
  readonly deviceIndex: Hash;
  readonly expiresAt: Date;
}

/** A login that waits for its second factor. */
export interface LoginChallenge {
  readonly userId: string;
  readonly passwordChangedAt: Date;
  readonly emailIndex: Hash;
  readonly deviceIndex: Uint8Array;
}

export interface LoginChallengeRepository {
  /** @returns what the second factor can be proven with */
  create(challenge: NewLoginChallenge): Promise<readonly ShowableFactor[]>;
  /** The open challenge of a token, of an account that may log in. */
  find(tokenHash: Hash): Promise<LoginChallenge | undefined>;
  /** Takes one of its tries, before a code is looked at: however many come at once, no more than allowed are. */
  takeAttempt(tokenHash: Hash): Promise<boolean>;
  /** Uses it up. False where somebody else has. */
  consume(tokenHash: Hash): Promise<boolean>;
}

/** Each one removes some expired ones of anybody, more than it adds. */
const CREATE = {
  name: 'login-challenge/create',
  text: `
    WITH expired AS (
      DELETE FROM login_challenges WHERE token_hash IN (
        SELECT token_hash FROM login_challenges WHERE expires_at <= $6 ORDER BY expires_at LIMIT 5 FOR UPDATE SKIP LOCKED
      )
    ), created AS (
      INSERT INTO login_challenges (token_hash, user_id, password_changed_at, device_index, expires_at)
      VALUES ($1, $2, $3, $4, $5)
    )
    SELECT ARRAY(SELECT type::text FROM factors WHERE user_id = $2) AS types,
      EXISTS (SELECT 1 FROM recovery_codes WHERE user_id = $2 AND used_at IS NULL) AS recovery_code`,
};
const FIND = {
  name: 'login-challenge/find',
  text: `
    SELECT c.user_id, c.password_changed_at, c.device_index, u.email_index
    FROM login_challenges c JOIN users u ON u.id = c.user_id
    WHERE c.token_hash = $1 AND c.expires_at > $2 AND c.attempts < $3::int AND u.status = 'ACTIVE'`,
};
const TAKE_ATTEMPT = {
  name: 'login-challenge/take-attempt',
  text: `
    UPDATE login_challenges SET attempts = attempts + 1
    WHERE token_hash = $1 AND expires_at > $2 AND attempts < $3::int RETURNING user_id`,
};
const CONSUME = {
  name: 'login-challenge/consume',
  text: 'DELETE FROM login_challenges WHERE token_hash = $1 RETURNING user_id',
};

export const createLoginChallengeRepository = ({ sql }: Pick<Database, 'sql'>): LoginChallengeRepository => ({
  async create({ tokenHash, userId, passwordChangedAt, deviceIndex, expiresAt }) {
    const values = [tokenHash, userId, passwordChangedAt, deviceIndex, expiresAt, new Date()];
    const [row] = await sql<{ types: string[]; recovery_code: boolean }>(CREATE, values);
    const has = new Set<string>(row?.types.map(kindOf));
    if (row?.recovery_code === true) has.add('recovery_code');
    return SHOWABLE_FACTORS.filter((factor) => has.has(factor));
  },

  async find(tokenHash) {
    const [row] = await sql<{ user_id: string; password_changed_at: Date; device_index: Buffer; email_index: Buffer }>(
      FIND,
      [tokenHash, new Date(), MAX_FACTOR_ATTEMPTS],
    );
    return (
      row && {
        userId: row.user_id,
        passwordChangedAt: row.password_changed_at,
        emailIndex: Uint8Array.from(row.email_index),
        deviceIndex: row.device_index,
      }
    );
  },

  async takeAttempt(tokenHash) {
    return (await sql(TAKE_ATTEMPT, [tokenHash, new Date(), MAX_FACTOR_ATTEMPTS])).length === 1;
  },

  async consume(tokenHash) {
    return (await sql(CONSUME, [tokenHash])).length === 1;
  },
});
