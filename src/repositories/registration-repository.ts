import type { BlindIndex, FieldCipher } from '../contracts/data-protection';
import type { PersonKeys } from '../contracts/keys';
import {
  MAX_CODE_ATTEMPTS,
  MAILED_WINDOW_MS,
  MAX_MAILED_REGISTRATIONS,
  MAX_RESENDS,
  RESEND_INTERVAL_MS,
} from '../contracts/registration';
import {
  personSecretLocation,
  registrationLocations,
  type RegistrationProfile,
  type RegistrationSubmission,
  type ResendOutcome,
  type VerifyAttempt,
  type VerifyOutcome,
} from '../contracts/registration-workflow';
import type { Registration as RegistrationRow } from '../generated/prisma/client';

import { type AuditTrail, withCallingService } from './audit-trail';
import type { Database } from './prisma-client';
import {
  COMPLETE,
  COUNT_WRONG_ATTEMPT,
  CREATE_PENDING,
  EXPIRE,
  FIND,
  FIND_OPEN,
  FIND_PASSWORD_HASHES,
  HOLD,
  LOCK_ADDRESS,
  REISSUE_CODE,
  TURN_INTO_DECOY,
  type OpenRow,
} from './registration-statements';
import type { Sql } from './sql';
import type { UserRepository } from './user-repository';

/** An open registration as the mail about it needs it. */
export interface OpenRegistration {
  readonly kind: RegistrationRow['kind'];
  readonly codesIssued: number;
  readonly expiresAt: Date;
  readonly profile: RegistrationProfile;
}

/** Where a registration stands, and which requests brought it there. */
export type RegistrationStanding = Pick<
  RegistrationRow,
  'workflowId' | 'status' | 'expiresAt' | 'kind' | 'lastAttemptId' | 'lastResendId' | 'userId' | 'closedAt'
>;

export interface NewRegistration {
  readonly registrationId: string;
  readonly workflowId: string;
  readonly expiresAt: Date;
  readonly submission: RegistrationSubmission;
}

export interface RegistrationRepository {
  /** Stores a pending registration, or a decoy where something is taken; a second call with the same id changes nothing. */
  createPending(registration: NewRegistration): Promise<void>;
  find(registrationId: string): Promise<RegistrationStanding | undefined>;
  findOpen(registrationId: string): Promise<OpenRegistration | undefined>;
  /** Hashes of the passwords that open registrations of an address were made with. */
  findOpenPasswordHashes(emailIndex: Uint8Array<ArrayBuffer>): Promise<string[]>;
  /** Tries a code and, if it is right, turns the registration into an account; `attemptId` makes a repeated call the same try. */
  activate(registrationId: string, attempt: VerifyAttempt): Promise<VerifyOutcome>;
  /** Issues a new code, within the limits; `resendId` makes a repeated call the same request. */
  reissueCode(registrationId: string, resendId: string): Promise<ResendOutcome>;
  /** Closes an unverified registration and drops its personal data; does nothing to one that is closed. */
  expire(registrationId: string): Promise<void>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly cipher: FieldCipher;
  readonly personKeys: Pick<PersonKeys, 'adopt'>;
  readonly blindIndex: BlindIndex;
  readonly users: Pick<UserRepository, 'create'>;
  readonly audit: AuditTrail;
  readonly codes: {
    code(registrationId: string, issue: number): string;
    hash(registrationId: string, code: string): Uint8Array<ArrayBuffer>;
    matches(storedHash: Uint8Array | null, registrationId: string, code: string): boolean;
  };
}

type HashRow = Pick<RegistrationRow, 'workflowId' | 'personId'> & { readonly passwordHashCiphertext: string };

export const createRegistrationRepository = (deps: Dependencies): RegistrationRepository => {
  const { database, cipher, blindIndex, users, codes, audit } = deps;
  const readProfile = async (
    workflowId: string,
    { personId, profileCiphertext }: Pick<RegistrationSubmission, 'personId' | 'profileCiphertext'>,
  ): Promise<RegistrationProfile> => {
    const { profile } = registrationLocations(workflowId, personId);
    return JSON.parse(await cipher.decrypt(profileCiphertext, profile)) as RegistrationProfile;
  };

  const adoptSecret = async ({ personId, personSecretCiphertext }: RegistrationSubmission): Promise<void> => {
    if (personSecretCiphertext === undefined) return;
    const secret = await cipher.decrypt(personSecretCiphertext, personSecretLocation(personId));
    await deps.personKeys.adopt(personId, Buffer.from(secret, 'base64'));
  };

  const readPasswordHash = (workflowId: string, personId: string, ciphertext: string): Promise<string> =>
    cipher.decrypt(ciphertext, registrationLocations(workflowId, personId).passwordHash);

  /** Undefined for one that is closed, whose personal data is gone. */
  const submissionOf = ({ personId, profileCiphertext, passwordHashCiphertext }: OpenRow) =>
    profileCiphertext === null || passwordHashCiphertext === null
      ? undefined
      : { personId, profileCiphertext, passwordHashCiphertext };

  const indexesOf = ({ email, phone, faydaId }: RegistrationProfile) => [
    blindIndex.of('email', email),
    phone === undefined ? null : blindIndex.of('phone', phone),
    faydaId === undefined ? null : blindIndex.of('faydaId', faydaId),
  ];

  const countWrongAttempt = async (sql: Sql, row: OpenRow, attemptId: string): Promise<VerifyOutcome> => {
    await sql(COUNT_WRONG_ATTEMPT, [row.id, attemptId]);
    return { outcome: 'invalid_code' };
  };

  /** The right code: an account, unless somebody else took one of its identifiers since. */
  const complete = async (
    sql: Sql,
    row: OpenRow,
    submission: RegistrationSubmission,
    { attemptId, callingService }: Omit<VerifyAttempt, 'code'>,
  ): Promise<VerifyOutcome> => {
    const { workflowId, personId: userId } = row;
    const profile = await readProfile(workflowId, submission);
    const passwordHash = await readPasswordHash(workflowId, userId, submission.passwordHashCiphertext);
    if (!(await users.create(sql, userId, profile, passwordHash))) {
      // Somebody else completed a registration with one of these identifiers since: from here on this one is a decoy.
      await sql(TURN_INTO_DECOY, [row.id, ...indexesOf(profile)]);
      return countWrongAttempt(sql, row, attemptId);
    }
    const event = await audit.seal({
      action: 'registration.completed',
      actor: { kind: 'user', id: userId },
      subjectId: userId,
      workflowId,
      details: withCallingService({ registrationId: row.id }, callingService),
    });
    await sql(COMPLETE, [row.id, new Date(), userId, attemptId, event]);
    return { outcome: 'activated', userId };
  };

  return {
    async createPending({ registrationId, workflowId, expiresAt, submission }) {
      await adoptSecret(submission);
      const profile = await readProfile(workflowId, submission);
      const [emailIndex, phoneIndex, faydaIdIndex] = indexesOf(profile);
      const codeHash = codes.hash(registrationId, codes.code(registrationId, 1));
      await database.transact(async (sql) => {
        await sql(LOCK_ADDRESS, [Buffer.from(emailIndex ?? []).readBigInt64BE(0)]);
        await sql(CREATE_PENDING, [
          ...[registrationId, workflowId, emailIndex, submission.profileCiphertext],
          ...[submission.passwordHashCiphertext, codeHash, new Date(), profile.locale, expiresAt],
          ...[
            MAX_MAILED_REGISTRATIONS,
            phoneIndex,
            faydaIdIndex,
            new Date(Date.now() - MAILED_WINDOW_MS),
            submission.personId,
          ],
        ]);
      });
    },

    async find(registrationId) {
      const [row] = await database.sql<RegistrationStanding>(FIND, [registrationId]);
      return row;
    },

    async findOpen(registrationId) {
      const [row] = await database.sql<OpenRow>(FIND_OPEN, [registrationId]);
      const submission = row && submissionOf(row);
      if (row === undefined || submission === undefined) return undefined;
      const profile = await readProfile(row.workflowId, submission);
      return { kind: row.kind, codesIssued: row.codesIssued, expiresAt: row.expiresAt, profile };
    },

    async findOpenPasswordHashes(emailIndex) {
      const rows = await database.sql<HashRow>(FIND_PASSWORD_HASHES, [emailIndex]);
      return Promise.all(
        rows.map(({ workflowId, personId, passwordHashCiphertext }) =>
          readPasswordHash(workflowId, personId, passwordHashCiphertext),
        ),
      );
    },

    activate: (registrationId, { code, ...attempt }) =>
      database.transact(async (sql): Promise<VerifyOutcome> => {
        const [row] = await sql<OpenRow>(HOLD, [registrationId]);
        if (row === undefined || row.status === 'EXPIRED') return { outcome: 'expired' };
        if (row.status === 'COMPLETED') {
          return row.lastAttemptId === attempt.attemptId && row.userId !== null
            ? { outcome: 'activated', userId: row.userId }
            : { outcome: 'already_completed' };
        }
        if (row.lastAttemptId === attempt.attemptId) return { outcome: 'invalid_code' };
        if (row.failedAttempts >= MAX_CODE_ATTEMPTS) return { outcome: 'too_many_attempts' };
        const submission = submissionOf(row);
        return codes.matches(row.codeHash, registrationId, code) && submission !== undefined
          ? complete(sql, row, submission, attempt)
          : countWrongAttempt(sql, row, attempt.attemptId);
      }),

    reissueCode: (registrationId, resendId) =>
      database.transact(async (sql): Promise<ResendOutcome> => {
        const [row] = await sql<OpenRow>(HOLD, [registrationId]);
        if (row === undefined || row.status === 'EXPIRED') return { outcome: 'expired' };
        if (row.status === 'COMPLETED') return { outcome: 'already_completed' };
        if (row.lastResendId === resendId) return { outcome: 'issued', issue: row.codesIssued };
        const retryAfterMs = row.lastIssuedAt.getTime() + RESEND_INTERVAL_MS - Date.now();
        if (row.codesIssued > MAX_RESENDS) return { outcome: 'limit_reached' };
        if (retryAfterMs > 0) return { outcome: 'too_soon', retryAfterMs };
        const issue = row.codesIssued + 1;
        const codeHash = row.kind === 'SIGN_UP' ? codes.hash(registrationId, codes.code(registrationId, issue)) : null;
        await sql(REISSUE_CODE, [registrationId, issue, codeHash, new Date(), resendId]);
        return { outcome: 'issued', issue };
      }),

    async expire(registrationId) {
      await database.sql(EXPIRE, [registrationId, new Date()]);
    },
  };
};
