import type { BlindIndex, FieldCipher } from '../contracts/data-protection';
import type { Locale } from '../contracts/locale';
import type { RegistrationSubmission } from '../contracts/registration-workflow';
import type { Role } from '../contracts/session';
import type { Prisma, User as UserRow } from '../generated/prisma/client';

import type { Database } from './prisma-client';

const TABLE = 'users';

/** An account, decrypted. */
export interface User {
  readonly id: string;
  readonly status: 'ACTIVE' | 'LOCKED' | 'ERASURE_PENDING' | 'ERASED';
  readonly email: string;
  readonly phone: string | null;
  readonly faydaId: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly locale: Locale;
  readonly roles: readonly Role[];
  readonly createdAt: Date;
}

/** What a login needs to know of an account. */
export interface LoginAccount {
  readonly userId: string;
  readonly status: User['status'];
  readonly passwordHash: string;
  readonly roles: readonly Role[];
}

export interface UserRepository {
  findById(userId: string): Promise<User | undefined>;
  findForLogin(identifier: { email: string } | { phone: string }): Promise<LoginAccount | undefined>;
  /** The taken parts of a submission. */
  findTaken(
    transaction: Prisma.TransactionClient,
    submission: RegistrationSubmission,
  ): Promise<'address' | 'details' | undefined>;
  /** Creates an active account with its password, role and consents; false when one of its identifiers is taken. */
  create(
    transaction: Prisma.TransactionClient,
    userId: string,
    submission: RegistrationSubmission,
    passwordHash: string,
  ): Promise<boolean>;
}

interface Dependencies {
  readonly database: Database;
  readonly cipher: FieldCipher;
  readonly blindIndex: BlindIndex;
}

const ENCRYPTED_COLUMNS = {
  email: 'email_ciphertext',
  phone: 'phone_ciphertext',
  faydaId: 'fayda_id_ciphertext',
  firstName: 'first_name_ciphertext',
  lastName: 'last_name_ciphertext',
} as const;

export const createUserRepository = ({ database, cipher, blindIndex }: Dependencies): UserRepository => {
  const location = (field: keyof typeof ENCRYPTED_COLUMNS, rowId: string) => ({
    table: TABLE,
    column: ENCRYPTED_COLUMNS[field],
    rowId,
  });
  const encrypt = (field: keyof typeof ENCRYPTED_COLUMNS, rowId: string, value: string | undefined) =>
    value === undefined ? null : cipher.encrypt(value, location(field, rowId));
  const decrypt = (field: keyof typeof ENCRYPTED_COLUMNS, rowId: string, value: string | null) =>
    value === null ? null : cipher.decrypt(value, location(field, rowId));
  const index = (field: 'phone' | 'faydaId', value: string | undefined) =>
    value === undefined ? null : blindIndex.of(field, value);

  const toUser = (row: UserRow & { roles: { role: Role }[] }): User => ({
    id: row.id,
    status: row.status,
    email: cipher.decrypt(row.emailCiphertext, location('email', row.id)),
    phone: decrypt('phone', row.id, row.phoneCiphertext),
    faydaId: decrypt('faydaId', row.id, row.faydaIdCiphertext),
    firstName: decrypt('firstName', row.id, row.firstNameCiphertext),
    lastName: decrypt('lastName', row.id, row.lastNameCiphertext),
    locale: row.locale as Locale,
    roles: row.roles.map(({ role }) => role),
    createdAt: row.createdAt,
  });

  return {
    async findById(userId) {
      const row = await database.user.findUnique({ where: { id: userId }, include: { roles: true } });
      return row === null ? undefined : toUser(row);
    },

    async findForLogin(identifier) {
      const where =
        'email' in identifier
          ? { emailIndex: blindIndex.of('email', identifier.email) }
          : { phoneIndex: blindIndex.of('phone', identifier.phone) };
      const row = await database.user.findUnique({
        where,
        select: { id: true, status: true, password: { select: { hash: true } }, roles: { select: { role: true } } },
      });
      if (row?.password == null) return undefined;
      return {
        userId: row.id,
        status: row.status,
        passwordHash: row.password.hash,
        roles: row.roles.map(({ role }) => role),
      };
    },

    async findTaken(transaction, { email, phone, faydaId }) {
      const emailIndex = blindIndex.of('email', email);
      const phoneIndex = index('phone', phone);
      const faydaIdIndex = index('faydaId', faydaId);
      const owners = await transaction.user.findMany({
        where: {
          OR: [
            { emailIndex },
            ...(phoneIndex === null ? [] : [{ phoneIndex }]),
            ...(faydaIdIndex === null ? [] : [{ faydaIdIndex }]),
          ],
        },
        select: { emailIndex: true },
      });
      if (owners.length === 0) return undefined;
      return owners.some((owner) => Buffer.compare(owner.emailIndex, emailIndex) === 0) ? 'address' : 'details';
    },

    async create(transaction, userId, submission, passwordHash) {
      // ON CONFLICT DO NOTHING: an error would abort the transaction that also has to record the outcome.
      const { count } = await transaction.user.createMany({
        skipDuplicates: true,
        data: {
          id: userId,
          emailCiphertext: cipher.encrypt(submission.email, location('email', userId)),
          emailIndex: blindIndex.of('email', submission.email),
          emailVerifiedAt: new Date(),
          phoneCiphertext: encrypt('phone', userId, submission.phone),
          phoneIndex: index('phone', submission.phone),
          faydaIdCiphertext: encrypt('faydaId', userId, submission.faydaId),
          faydaIdIndex: index('faydaId', submission.faydaId),
          firstNameCiphertext: encrypt('firstName', userId, submission.firstName),
          lastNameCiphertext: encrypt('lastName', userId, submission.lastName),
          locale: submission.locale,
        },
      });
      if (count === 0) return false;
      await transaction.passwordCredential.create({ data: { userId, hash: passwordHash } });
      await transaction.userRole.create({ data: { userId, role: 'CUSTOMER' } });
      if (submission.consents.length > 0) {
        await transaction.consent.createMany({
          skipDuplicates: true,
          data: submission.consents.map(({ purpose, version }) => ({ userId, purpose, version })),
        });
      }
      return true;
    },
  };
};
