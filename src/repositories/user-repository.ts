import { v7 as uuidv7 } from 'uuid';

import type { BlindIndex, FieldCipher } from '../contracts/data-protection';
import type { Locale } from '../contracts/locale';
import type { RegistrationProfile } from '../contracts/registration-workflow';
import type { Role } from '../contracts/session';

import { createBatch } from './batch';
import type { Database } from './prisma-client';
import type { Sql } from './sql';
import { userLocation } from './user-fields';

/** An account, decrypted. */
export interface User {
  readonly id: string;
  readonly status: 'ACTIVE' | 'LOCKED' | 'ERASURE_PENDING' | 'ERASED';
  readonly email: string;
  readonly phone: string | null;
  readonly phoneVerifiedAt: Date | null;
  /** When the account got another phone by a code. */
  readonly phoneChangedAt: Date | null;
  readonly faydaId: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly locale: Locale;
  readonly roles: readonly Role[];
  readonly createdAt: Date;
}

export interface UserRepository {
  findById(userId: string): Promise<User | undefined>;
  /** Creates an active account with its password, role and consents; false when one of its identifiers is taken. */
  create(sql: Sql, userId: string, profile: RegistrationProfile, passwordHash: string): Promise<boolean>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql'>;
  readonly cipher: FieldCipher;
  readonly blindIndex: BlindIndex;
}

interface UserRow {
  readonly id: string;
  readonly status: User['status'];
  readonly email_ciphertext: string;
  readonly phone_ciphertext: string | null;
  readonly phone_verified_at: Date | null;
  readonly phone_changed_at: Date | null;
  readonly fayda_id_ciphertext: string | null;
  readonly first_name_ciphertext: string | null;
  readonly last_name_ciphertext: string | null;
  readonly locale: Locale;
  readonly created_at: Date;
  readonly roles: Role[];
}

/** Arrays of an enum have no type of their own in the driver; as text they have. */
const ROLES = 'ARRAY(SELECT role::text FROM user_roles r WHERE r.user_id = u.id) AS roles';

const FIND = {
  name: 'user/find',
  text: `
    SELECT u.id, u.status::text, u.email_ciphertext, u.phone_ciphertext, u.fayda_id_ciphertext, u.first_name_ciphertext,
      u.last_name_ciphertext, u.locale, u.created_at, u.phone_verified_at, u.phone_changed_at, ${ROLES}
    FROM users u WHERE u.id = ANY($1::uuid[])`,
};

/** All of it or nothing: where an identifier is taken no row is made, without an error that would abort the transaction. */
const CREATE = {
  name: 'user/create',
  text: `
    WITH created AS (
      INSERT INTO users (id, email_ciphertext, email_index, phone_ciphertext, phone_index, fayda_id_ciphertext,
        fayda_id_index, first_name_ciphertext, last_name_ciphertext, locale, email_verified_at, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11)
      ON CONFLICT DO NOTHING
      RETURNING id
    ), password AS (
      INSERT INTO password_credentials (user_id, hash, created_at, changed_at) SELECT id, $12::text, $11, $11 FROM created
    ), granted AS (
      INSERT INTO user_roles (user_id, role, granted_at) SELECT id, 'CUSTOMER', $11 FROM created
    ), consented AS (
      INSERT INTO consent_records (id, user_id, purpose, version, act, source, at)
      SELECT given.id, created.id, purpose, version, 'GIVEN', 'REGISTRATION', $11
      FROM created, unnest($13::uuid[], $14::text[], $15::text[]) AS given(id, purpose, version)
    )
    SELECT id FROM created`,
};

const ENCRYPTED_COLUMNS = {
  email: 'email_ciphertext',
  phone: 'phone_ciphertext',
  faydaId: 'fayda_id_ciphertext',
  firstName: 'first_name_ciphertext',
  lastName: 'last_name_ciphertext',
} as const;

export const createUserRepository = ({ database, cipher, blindIndex }: Dependencies): UserRepository => {
  const location = (field: keyof typeof ENCRYPTED_COLUMNS, userId: string) =>
    userLocation(ENCRYPTED_COLUMNS[field], userId);
  const encrypt = async (field: keyof typeof ENCRYPTED_COLUMNS, rowId: string, value: string | undefined) =>
    value === undefined ? null : cipher.encrypt(value, location(field, rowId));
  const decrypt = async (field: keyof typeof ENCRYPTED_COLUMNS, rowId: string, value: string | null) =>
    value === null ? null : cipher.decrypt(value, location(field, rowId));
  const index = (field: 'phone' | 'faydaId', value: string | undefined) =>
    value === undefined ? null : blindIndex.of(field, value);

  const toUser = async (row: UserRow): Promise<User> => ({
    id: row.id,
    status: row.status,
    email: await cipher.decrypt(row.email_ciphertext, location('email', row.id)),
    phone: await decrypt('phone', row.id, row.phone_ciphertext),
    phoneVerifiedAt: row.phone_verified_at,
    phoneChangedAt: row.phone_changed_at,
    faydaId: await decrypt('faydaId', row.id, row.fayda_id_ciphertext),
    firstName: await decrypt('firstName', row.id, row.first_name_ciphertext),
    lastName: await decrypt('lastName', row.id, row.last_name_ciphertext),
    locale: row.locale,
    roles: row.roles,
    createdAt: row.created_at,
  });

  const find = createBatch(async (ids) => {
    const rows = await database.sql<UserRow>(FIND, [ids]);
    return new Map(rows.map((row) => [row.id, row]));
  });

  return {
    async findById(userId) {
      const row = await find(userId);
      return row === undefined ? undefined : toUser(row);
    },

    async create(sql, userId, { email, phone, faydaId, firstName, lastName, locale, consents }, passwordHash) {
      // Of a purpose that is named twice the last one holds.
      const given = [...new Map(consents.map((consent) => [consent.purpose, consent])).values()];
      const created = await sql(CREATE, [
        userId,
        ...[await cipher.encrypt(email, location('email', userId)), blindIndex.of('email', email)],
        ...[await encrypt('phone', userId, phone), index('phone', phone)],
        ...[await encrypt('faydaId', userId, faydaId), index('faydaId', faydaId)],
        ...[await encrypt('firstName', userId, firstName), await encrypt('lastName', userId, lastName)],
        ...[locale, new Date(), passwordHash],
        ...[given.map(() => uuidv7()), given.map(({ purpose }) => purpose), given.map(({ version }) => version)],
      ]);
      return created.length === 1;
    },
  };
};
