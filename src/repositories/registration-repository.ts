import { v7 as uuidv7 } from 'uuid';

import type { BlindIndex, FieldCipher } from '../contracts/data-protection';
import {
  MAX_CODE_ATTEMPTS,
  MAILED_WINDOW_MS,
  MAX_MAILED_REGISTRATIONS,
  MAX_RESENDS,
  RESEND_INTERVAL_MS,
} from '../contracts/registration';
import {
  passwordHashLocation,
  type RegistrationSubmission,
  type ResendOutcome,
  type VerifyOutcome,
} from '../contracts/registration-workflow';
import type { Prisma, Registration as RegistrationRow } from '../generated/prisma/client';

import type { Database } from './prisma-client';
import type { UserRepository } from './user-repository';

/** An open registration as the mail about it needs it. */
export interface OpenRegistration {
  readonly kind: RegistrationRow['kind'];
  readonly codesIssued: number;
  readonly expiresAt: Date;
  readonly submission: RegistrationSubmission;
}

export interface NewRegistration {
  readonly registrationId: string;
  readonly workflowId: string;
  readonly expiresAt: Date;
  readonly submission: RegistrationSubmission;
}

export interface RegistrationRepository {
  /** Stores a pending registration, or a decoy where something is taken; a second call with the same id changes nothing. */
  createPending(registration: NewRegistration): Promise<void>;
  find(
    registrationId: string,
  ): Promise<Pick<RegistrationRow, 'workflowId' | 'status' | 'expiresAt' | 'kind'> | undefined>;
  findOpen(registrationId: string): Promise<OpenRegistration | undefined>;
  /** Hashes of the passwords that open registrations of an address were made with. */
  findOpenPasswordHashes(emailIndex: Uint8Array<ArrayBuffer>): Promise<string[]>;
  /** Tries a code and, if it is right, turns the registration into an account; `attemptId` makes a repeated call the same try. */
  activate(registrationId: string, code: string, attemptId: string): Promise<VerifyOutcome>;
  /** Issues a new code, within the limits; `resendId` makes a repeated call the same request. */
  reissueCode(registrationId: string, resendId: string): Promise<ResendOutcome>;
  /** Closes an unverified registration and drops its personal data; does nothing to one that is closed. */
  expire(registrationId: string): Promise<void>;
}

interface Dependencies {
  readonly database: Database;
  readonly cipher: FieldCipher;
  readonly blindIndex: BlindIndex;
  readonly users: UserRepository;
  readonly codes: {
    code(registrationId: string, issue: number): string;
    hash(registrationId: string, code: string): Uint8Array<ArrayBuffer>;
    matches(storedHash: Uint8Array | null, registrationId: string, code: string): boolean;
  };
}

/** What closing drops. */
const DROPPED = { emailIndex: null, profileCiphertext: null, passwordHashCiphertext: null, codeHash: null } as const;

type Transaction = Prisma.TransactionClient;

export const createRegistrationRepository = (deps: Dependencies): RegistrationRepository => {
  const { database, cipher, blindIndex, users, codes } = deps;
  const profileLocation = (rowId: string) => ({ table: 'registrations', column: 'profile_ciphertext', rowId });

  const encryptProfile = (id: string, { passwordHashCiphertext: _, ...profile }: RegistrationSubmission) =>
    cipher.encrypt(JSON.stringify(profile), profileLocation(id));

  const decryptSubmission = (row: RegistrationRow): RegistrationSubmission | undefined =>
    row.profileCiphertext === null || row.passwordHashCiphertext === null
      ? undefined
      : {
          ...(JSON.parse(cipher.decrypt(row.profileCiphertext, profileLocation(row.id))) as Omit<
            RegistrationSubmission,
            'passwordHashCiphertext'
          >),
          passwordHashCiphertext: row.passwordHashCiphertext,
        };

  const decryptPasswordHash = (workflowId: string, ciphertext: string): string =>
    cipher.decrypt(ciphertext, passwordHashLocation(workflowId));

  /** Serialises everything that happens to one registration. */
  const lock = async (transaction: Transaction, registrationId: string): Promise<RegistrationRow | null> => {
    await transaction.$queryRaw`SELECT 1 FROM registrations WHERE id = ${registrationId}::uuid FOR UPDATE`;
    return transaction.registration.findUnique({ where: { id: registrationId } });
  };

  /** Which kind of registration a submission is. The caller holds the address's lock, so the count is exact. */
  const classify = async (
    transaction: Transaction,
    submission: RegistrationSubmission,
    emailIndex: Uint8Array<ArrayBuffer>,
  ) => {
    const since = new Date(Date.now() - MAILED_WINDOW_MS);
    const mailed = await transaction.registration.count({
      where: { emailIndex, createdAt: { gt: since }, kind: { not: 'MUTED' } },
    });
    if (mailed >= MAX_MAILED_REGISTRATIONS) return 'MUTED';
    const taken = await users.findTaken(transaction, submission);
    if (taken === undefined) return 'SIGN_UP';
    return taken === 'address' ? 'ADDRESS_TAKEN' : 'DETAILS_TAKEN';
  };

  const countWrongAttempt = async (
    transaction: Transaction,
    row: RegistrationRow,
    attemptId: string,
  ): Promise<VerifyOutcome> => {
    await transaction.registration.update({
      where: { id: row.id },
      data: { failedAttempts: { increment: 1 }, lastAttemptId: attemptId },
    });
    return { outcome: 'invalid_code' };
  };

  return {
    async createPending({ registrationId, workflowId, expiresAt, submission }) {
      const emailIndex = blindIndex.of('email', submission.email);
      await database.$transaction(async (transaction) => {
        const lockKey = Buffer.from(emailIndex).readBigInt64BE(0);
        await transaction.$queryRaw`SELECT 1 FROM (SELECT pg_advisory_xact_lock(${lockKey}::bigint)) AS locked`;
        const kind = await classify(transaction, submission, emailIndex);
        await transaction.registration.createMany({
          skipDuplicates: true,
          data: {
            id: registrationId,
            workflowId,
            kind,
            emailIndex,
            profileCiphertext: encryptProfile(registrationId, submission),
            passwordHashCiphertext: submission.passwordHashCiphertext,
            codeHash: kind === 'SIGN_UP' ? codes.hash(registrationId, codes.code(registrationId, 1)) : null,
            lastIssuedAt: new Date(),
            locale: submission.locale,
            expiresAt,
          },
        });
      });
    },

    async find(registrationId) {
      const row = await database.registration.findUnique({
        where: { id: registrationId },
        select: { workflowId: true, status: true, expiresAt: true, kind: true },
      });
      return row ?? undefined;
    },

    async findOpen(registrationId) {
      const row = await database.registration.findUnique({ where: { id: registrationId } });
      const submission = row === null ? undefined : decryptSubmission(row);
      if (row === null || submission === undefined) return undefined;
      return { kind: row.kind, codesIssued: row.codesIssued, expiresAt: row.expiresAt, submission };
    },

    async findOpenPasswordHashes(emailIndex) {
      const rows = await database.registration.findMany({
        where: { emailIndex, kind: 'SIGN_UP' },
        select: { workflowId: true, passwordHashCiphertext: true },
      });
      return rows.flatMap(({ workflowId, passwordHashCiphertext }) =>
        passwordHashCiphertext === null ? [] : decryptPasswordHash(workflowId, passwordHashCiphertext),
      );
    },

    activate: (registrationId, code, attemptId) =>
      database.$transaction(async (transaction): Promise<VerifyOutcome> => {
        const row = await lock(transaction, registrationId);
        if (row === null || row.status === 'EXPIRED') return { outcome: 'expired' };
        if (row.status === 'COMPLETED') {
          return row.lastAttemptId === attemptId && row.userId !== null
            ? { outcome: 'activated', userId: row.userId }
            : { outcome: 'already_completed' };
        }
        if (row.lastAttemptId === attemptId) return { outcome: 'invalid_code' };
        if (row.failedAttempts >= MAX_CODE_ATTEMPTS) return { outcome: 'too_many_attempts' };
        const submission = decryptSubmission(row);
        if (!codes.matches(row.codeHash, registrationId, code) || submission === undefined) {
          return countWrongAttempt(transaction, row, attemptId);
        }
        const userId = uuidv7();
        const passwordHash = decryptPasswordHash(row.workflowId, submission.passwordHashCiphertext);
        if (!(await users.create(transaction, userId, submission, passwordHash))) {
          // Somebody else completed a registration with one of these identifiers since: from here on this one is a decoy.
          const taken = await users.findTaken(transaction, submission);
          await transaction.registration.update({
            where: { id: row.id },
            data: { codeHash: null, kind: taken === 'address' ? 'ADDRESS_TAKEN' : 'DETAILS_TAKEN' },
          });
          return countWrongAttempt(transaction, row, attemptId);
        }
        await transaction.registration.update({
          where: { id: row.id },
          data: { ...DROPPED, status: 'COMPLETED', closedAt: new Date(), userId, lastAttemptId: attemptId },
        });
        return { outcome: 'activated', userId };
      }),

    reissueCode: (registrationId, resendId) =>
      database.$transaction(async (transaction): Promise<ResendOutcome> => {
        const row = await lock(transaction, registrationId);
        if (row === null || row.status === 'EXPIRED') return { outcome: 'expired' };
        if (row.status === 'COMPLETED') return { outcome: 'already_completed' };
        if (row.lastResendId === resendId) return { outcome: 'issued', issue: row.codesIssued };
        const retryAfterMs = row.lastIssuedAt.getTime() + RESEND_INTERVAL_MS - Date.now();
        if (row.codesIssued > MAX_RESENDS) return { outcome: 'limit_reached' };
        if (retryAfterMs > 0) return { outcome: 'too_soon', retryAfterMs };
        const issue = row.codesIssued + 1;
        await transaction.registration.update({
          where: { id: row.id },
          data: {
            codesIssued: issue,
            lastIssuedAt: new Date(),
            lastResendId: resendId,
            failedAttempts: 0,
            codeHash: row.kind === 'SIGN_UP' ? codes.hash(registrationId, codes.code(registrationId, issue)) : null,
          },
        });
        return { outcome: 'issued', issue };
      }),

    async expire(registrationId) {
      await database.registration.updateMany({
        where: { id: registrationId, status: 'VERIFICATION_PENDING' },
        data: { ...DROPPED, status: 'EXPIRED', closedAt: new Date() },
      });
    },
  };
};
