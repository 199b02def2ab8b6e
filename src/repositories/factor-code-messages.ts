import type { FieldCipher } from '../contracts/data-protection';
import type { Locale } from '../contracts/locale';

import { FIND_FOR_MESSAGE } from './factor-code-statements';
import type { Database } from './prisma-client';
import { userLocation } from './user-fields';

/** A code as the message that brings it needs it. */
export interface FactorCodeForMessage {
  /** The address or phone that the account has now, which is the one it was issued for. */
  readonly to: string;
  readonly locale: Locale;
  readonly expiresAt: Date;
}

/** Undefined where the code no longer works: used, expired, replaced, or the account has another contact. */
export type FindFactorCode = (codeId: string) => Promise<FactorCodeForMessage | undefined>;

interface Row {
  readonly user_id: string;
  readonly expires_at: Date;
  readonly locale: Locale;
  readonly email_ciphertext: string | null;
  readonly phone_ciphertext: string | null;
}

export const createFindFactorCode =
  (database: Pick<Database, 'sql'>, cipher: Pick<FieldCipher, 'decrypt'>): FindFactorCode =>
  async (codeId) => {
    const [row] = await database.sql<Row>(FIND_FOR_MESSAGE, [codeId, new Date()]);
    if (row === undefined) return undefined;
    const column = row.email_ciphertext === null ? 'phone_ciphertext' : 'email_ciphertext';
    const ciphertext = row[column];
    if (ciphertext === null) return undefined;
    const to = await cipher.decrypt(ciphertext, userLocation(column, row.user_id));
    return { to, locale: row.locale, expiresAt: row.expires_at };
  };
