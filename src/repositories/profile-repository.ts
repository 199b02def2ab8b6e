import type { RequestOrigin } from '../contracts/audit';
import type { FieldCipher } from '../contracts/data-protection';
import type { Locale } from '../contracts/locale';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import type { Database } from './prisma-client';
import { userLocation } from './user-fields';

/** What a person may change about themselves; what is absent stays as it is. */
export interface ProfileChanges {
  readonly firstName?: string | null;
  readonly lastName?: string | null;
  readonly locale?: Locale;
}

export interface ProfileRepository {
  /** Changes these fields and no others, and records their names. False where there is no such active account. */
  change(userId: string, changes: ProfileChanges, origin: RequestOrigin): Promise<boolean>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql'>;
  readonly cipher: Pick<FieldCipher, 'encrypt'>;
  readonly audit: Pick<AuditTrail, 'seal'>;
}

/** One statement: two changes of different fields at once both hold, and none is half done. */
const CHANGE = {
  name: 'profile/change',
  text: `
    WITH changed AS (
      UPDATE users SET
        first_name_ciphertext = CASE WHEN $2::boolean THEN $3 ELSE first_name_ciphertext END,
        last_name_ciphertext = CASE WHEN $4::boolean THEN $5 ELSE last_name_ciphertext END,
        locale = coalesce($6, locale), updated_at = $7
      WHERE id = $1 AND status = 'ACTIVE'
      RETURNING id
    ), audited AS (${insertAuditEvents('$8', 'changed')})
    SELECT id FROM changed`,
};

const COLUMNS = { firstName: 'first_name_ciphertext', lastName: 'last_name_ciphertext' } as const;

export const createProfileRepository = ({ database, cipher, audit }: Dependencies): ProfileRepository => ({
  async change(userId, changes, origin) {
    const name = async (field: keyof typeof COLUMNS): Promise<[boolean, string | null]> => {
      const value = changes[field];
      return [
        value !== undefined,
        value == null ? null : await cipher.encrypt(value, userLocation(COLUMNS[field], userId)),
      ];
    };
    const event = await audit.seal({
      action: 'user.profile_changed',
      actor: { kind: 'user', id: userId },
      subjectId: userId,
      origin,
      details: { fields: Object.keys(changes).sort() },
    });
    const names = [...(await name('firstName')), ...(await name('lastName'))];
    const values = [userId, ...names, changes.locale ?? null, new Date(), event];
    return (await database.sql(CHANGE, values)).length === 1;
  },
});
