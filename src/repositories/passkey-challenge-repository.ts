import type { Database } from './prisma-client';

type Hash = Uint8Array<ArrayBuffer>;

/** What an answered challenge is good for: a login, the second half of one (`loginTokenHash`), or a step-up (`sessionId`). */
export interface PasskeyChallenge {
  readonly sessionId?: string | undefined;
  readonly loginTokenHash?: Hash | undefined;
}
export interface NewPasskeyChallenge extends PasskeyChallenge {
  readonly hash: Hash;
  readonly deviceIndex: Hash;
  readonly expiresAt: Date;
}

export interface PasskeyChallengeRepository {
  /** False where the login that it is for has ended meanwhile. */
  create(challenge: NewPasskeyChallenge): Promise<boolean>;
  /** Uses an open challenge up, once, from the device that asked for it and for the session of `sessionId`, if there is one. */
  take(hash: Hash, deviceIndex: Hash, sessionId?: string): Promise<PasskeyChallenge | undefined>;
}

/** Each one removes some expired ones of anybody, more than it adds. */
const CREATE = {
  name: 'passkey-challenge/create',
  text: `
    WITH expired AS (
      DELETE FROM passkey_challenges WHERE hash IN (
        SELECT hash FROM passkey_challenges WHERE expires_at <= $6 ORDER BY expires_at LIMIT 5 FOR UPDATE SKIP LOCKED
      )
    )
    INSERT INTO passkey_challenges (hash, session_id, login_token_hash, device_index, expires_at)
    SELECT $1::bytea, $2::uuid, $3::bytea, $4::bytea, $5::timestamptz
    WHERE $3::bytea IS NULL OR EXISTS (SELECT 1 FROM login_challenges WHERE token_hash = $3 FOR KEY SHARE)
    RETURNING hash`,
};
/** Of all who show it at once one finds it. */
const TAKE = {
  name: 'passkey-challenge/take',
  text: `
    DELETE FROM passkey_challenges
    WHERE hash = $1 AND device_index = $2 AND session_id IS NOT DISTINCT FROM $3::uuid AND expires_at > $4
    RETURNING session_id, login_token_hash`,
};

export const createPasskeyChallengeRepository = ({ sql }: Pick<Database, 'sql'>): PasskeyChallengeRepository => ({
  async create({ hash, sessionId, loginTokenHash, deviceIndex, expiresAt }) {
    const values = [hash, sessionId ?? null, loginTokenHash ?? null, deviceIndex, expiresAt, new Date()];
    return (await sql(CREATE, values)).length === 1;
  },

  async take(hash, deviceIndex, sessionId) {
    const values = [hash, deviceIndex, sessionId ?? null, new Date()];
    const [row] = await sql<{ session_id: string | null; login_token_hash: Buffer | null }>(TAKE, values);
    return (
      row && {
        sessionId: row.session_id ?? undefined,
        loginTokenHash: row.login_token_hash === null ? undefined : Uint8Array.from(row.login_token_hash),
      }
    );
  },
});
