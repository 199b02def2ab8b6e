import { v7 as uuidv7 } from 'uuid';

import type { RequestOrigin } from '../contracts/audit';
import type { PasskeyDescriptor } from '../contracts/passkey';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import { insertNotice } from './notice-outbox';
import type { Database } from './prisma-client';

type Bytes = Uint8Array<ArrayBuffer>;

/** What an assertion is verified against. */
export interface Passkey {
  readonly factorId: string;
  readonly userId: string;
  /** Whether its account may be used. */
  readonly isActive: boolean;
  readonly publicKey: Bytes;
  readonly userHandle: Bytes;
  readonly backupEligible: boolean;
}

export interface PasskeyUse {
  readonly factorId: string;
  readonly signCount: number;
  readonly backedUp: boolean;
}

/** The sign count of an assertion was not greater than that of the one before. */
export interface Suspicion {
  readonly factorId: string;
  readonly userId: string;
  readonly signCount: number;
  readonly origin: RequestOrigin;
}

export interface PasskeyRepository {
  list(userId: string): Promise<PasskeyDescriptor[]>;
  find(credentialId: Bytes): Promise<Passkey | undefined>;
  /** Stores the sign count of an assertion. False where it is not greater than the stored one, unless both are 0. */
  use(use: PasskeyUse): Promise<boolean>;
  /** Records that there may be a copy. @returns the id of the notice to its owner, undefined where they were told within the hour */
  suspect(suspicion: Suspicion): Promise<string | undefined>;
}

const LIST = {
  name: 'passkey/list',
  text: `
    SELECT p.credential_id, p.transports FROM passkeys p JOIN factors f ON f.id = p.factor_id
    WHERE f.user_id = $1 ORDER BY p.factor_id`,
};
const FIND = {
  name: 'passkey/find',
  text: `
    SELECT p.factor_id, f.user_id, u.status = 'ACTIVE' AS is_active, p.public_key, p.user_handle, p.backup_eligible
    FROM passkeys p JOIN factors f ON f.id = p.factor_id JOIN users u ON u.id = f.user_id
    WHERE p.credential_id = $1`,
};
/** Compare-and-swap: of two assertions with one count one is taken (WebAuthn level 3, section 7.2, step 22). */
const USE = {
  name: 'passkey/use',
  text: `
    UPDATE passkeys SET sign_count = $2::bigint, backed_up = $3, last_used_at = $4
    WHERE factor_id = $1 AND (sign_count < $2::bigint OR (sign_count = 0 AND $2::bigint = 0)) RETURNING factor_id`,
};
/** Whoever has the copy could have its owner mailed without end. */
const SUSPECT = {
  name: 'passkey/suspect',
  text: `
    WITH due AS (
      UPDATE passkeys SET suspected_at = $3
      WHERE factor_id = $1 AND (suspected_at IS NULL OR suspected_at < $3::timestamptz - interval '1 hour') RETURNING factor_id
    ), noticed AS (
      ${insertNotice('passkey:suspected', { eventId: '$4', userId: '$2', now: '$3' }, 'due')}
    ), audited AS (${insertAuditEvents('$5', '(SELECT count(*) FROM due) AS counted')})
    SELECT factor_id FROM due`,
};

interface Row {
  readonly factor_id: string;
  readonly user_id: string;
  readonly is_active: boolean;
  readonly public_key: Buffer;
  readonly user_handle: Buffer;
  readonly backup_eligible: boolean;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql'>;
  readonly audit: Pick<AuditTrail, 'seal'>;
}

export const createPasskeyRepository = ({ database: { sql }, audit }: Dependencies): PasskeyRepository => ({
  async list(userId) {
    const rows = await sql<{ credential_id: Buffer; transports: string[] }>(LIST, [userId]);
    return rows.map((row) => ({ credentialId: Uint8Array.from(row.credential_id), transports: row.transports }));
  },

  async find(credentialId) {
    const [row] = await sql<Row>(FIND, [credentialId]);
    return (
      row && {
        factorId: row.factor_id,
        userId: row.user_id,
        isActive: row.is_active,
        publicKey: Uint8Array.from(row.public_key),
        userHandle: Uint8Array.from(row.user_handle),
        backupEligible: row.backup_eligible,
      }
    );
  },

  async use({ factorId, signCount, backedUp }) {
    return (await sql(USE, [factorId, signCount, backedUp, new Date()])).length === 1;
  },

  async suspect({ factorId, userId, signCount, origin }) {
    const noticeId = uuidv7();
    const event = await audit.seal({
      ...{ action: 'passkey.suspected', outcome: 'denied', actor: { kind: 'anonymous' }, subjectId: userId, origin },
      details: { factorId, signCount },
    });
    const due = await sql(SUSPECT, [factorId, userId, new Date(), noticeId, event]);
    return due.length === 1 ? noticeId : undefined;
  },
});
