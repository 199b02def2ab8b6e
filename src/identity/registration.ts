import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { v7 as uuidv7 } from 'uuid';

import type { RequestOrigin } from '../contracts/audit';
import type { BlindIndex, FieldCipher } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import { IDEMPOTENCY_KEY_LIFE_MS } from '../contracts/idempotency';
import type { PersonKeys } from '../contracts/keys';
import { DEFAULT_LOCALE, type Locale } from '../contracts/locale';
import type { RegisterRequest, RegistrationState } from '../contracts/registration';
import {
  personSecretLocation,
  registrationExpiry,
  registrationLocations,
  type RegistrationProfile,
  type RegistrationSubmission,
  type VerifyAttempt,
} from '../contracts/registration-workflow';
import type { TokensResponse, UserResponse } from '../contracts/session';
import type { PasswordHasher } from '../crypto/password-hasher';
import type { PasswordPolicy } from '../crypto/password-policy';
import type { FactorRepository } from '../repositories/factor-repository';
import type { RegistrationRepository, RegistrationStanding } from '../repositories/registration-repository';
import type { UserRepository } from '../repositories/user-repository';
import type { RegistrationRun, RegistrationStart, WorkflowStarter } from '../temporal/workflow-starter';

import type { LockOut } from './lock-out';
import type { MfaPolicy } from './mfa-policy';
import type { Sessions } from './sessions';
import type { ToUserResponse } from './users';

interface Dependencies {
  readonly policy: PasswordPolicy;
  readonly hasher: Pick<PasswordHasher, 'hashForRegistration'>;
  readonly blindIndex: BlindIndex;
  readonly cipher: Pick<FieldCipher, 'encrypt'>;
  readonly personKeys: Pick<PersonKeys, 'begin'>;
  readonly starter: WorkflowStarter;
  readonly registrations: Pick<RegistrationRepository, 'find'>;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly factors: Pick<FactorRepository, 'hasAny'>;
  readonly toUserResponse: ToUserResponse;
  readonly policyOfRoles: Pick<MfaPolicy, 'rolesInForce'>;
  readonly sessions: Pick<Sessions, 'open'>;
  readonly lockOut: Pick<LockOut, 'remember'>;
  /** Key of workflow ids, so that they tell nothing. */
  readonly workflowIdKey: Buffer;
  readonly expiresInMs: number;
}

export interface Registrations {
  /** @throws {AppError} `validation_failed` (password), `overloaded`, `service_unavailable` */
  register(request: RegisterRequest, preferredLocale: Locale | undefined): Promise<RegistrationState>;
  /** @throws {AppError} `registration_not_found` */
  state(registrationId: string): Promise<RegistrationState>;
  /**
   * `repetitionId` (see `RouteRequest`) makes a repeated request the same try: after a lost answer it gets a session too.
   * @throws {AppError} `invalid_code`, `too_many_attempts`, `registration_completed`, `registration_expired`, `registration_not_found`
   */
  verify(
    registrationId: string,
    code: string,
    origin: RequestOrigin,
    repetitionId?: string,
  ): Promise<TokensResponse & { user: UserResponse }>;
  /** @throws {AppError} `resend_too_soon`, `resend_limit_reached`, `registration_completed`, `registration_expired`, `registration_not_found` */
  resend(registrationId: string, repetitionId?: string): Promise<RegistrationState>;
}

/** A registration whose time is up is closed by a worker within moments. */
const CLOSING_TRIES = 20;
const CLOSING_POLL_MS = 50;

const CLOSED = { COMPLETED: 'registration_completed', EXPIRED: 'registration_expired' } as const;

export const createRegistrations = (deps: Dependencies): Registrations => {
  const {
    policy,
    hasher,
    blindIndex,
    cipher,
    starter,
    registrations,
    users,
    factors,
    sessions,
    lockOut,
    workflowIdKey,
    expiresInMs,
  } = deps;

  /**
   * One workflow for each submission, so that the same one sent twice (a lost answer, a double click) is one registration,
   * while somebody else's with the same address is another: whoever proves the address gets the account with the password of
   * the registration whose code they entered, never with one that a stranger chose before them.
   */
  const workflowIdOf = (submission: object): string =>
    `registration/${createHmac('sha256', workflowIdKey).update(JSON.stringify(submission)).digest('base64url')}`;

  /** Under a new person's key: of submissions that are one registration, the first is the one that counts. */
  const sealSubmission = async (
    workflowId: string,
    profile: RegistrationProfile,
    passwordHash: string,
  ): Promise<RegistrationSubmission> => {
    const personId = uuidv7();
    const secret = await deps.personKeys.begin(personId);
    const locations = registrationLocations(workflowId, personId);
    return {
      personId,
      ...(secret !== undefined && {
        personSecretCiphertext: await cipher.encrypt(secret.toString('base64'), personSecretLocation(personId)),
      }),
      profileCiphertext: await cipher.encrypt(JSON.stringify(profile), locations.profile),
      passwordHashCiphertext: await cipher.encrypt(passwordHash, locations.passwordHash),
    };
  };

  const pending = (registrationId: string, expiresAt: Date): RegistrationState => ({
    registrationId,
    status: 'verification_pending',
    expiresAt: expiresAt.toISOString(),
  });

  /** Joins the registration of the same submission, but none whose time is up: that one is closing, and makes room for a new one. */
  const startOrJoin = async (start: RegistrationStart): Promise<string> => {
    for (let tries = 0; tries < CLOSING_TRIES; tries += 1) {
      if (tries > 0) await sleep(CLOSING_POLL_MS);
      const registrationId = await starter.startRegistration(start);
      if (registrationExpiry(registrationId, expiresInMs) > new Date()) return registrationId;
    }
    throw new AppError('service_unavailable', { retryAfterSeconds: 1 });
  };

  /** The stored registration; undefined while it is accepted but no worker has stored it yet. */
  const find = async (registrationId: string) => {
    const registration = await registrations.find(registrationId);
    if (registration !== undefined) return registration;
    // An id whose time is past or far ahead was never ours, or is long gone: no need to ask Temporal.
    const age = Date.now() + expiresInMs - registrationExpiry(registrationId, expiresInMs).getTime();
    const plausible = age > -60_000 && age < expiresInMs;
    if (!plausible || !(await starter.isRegistrationOpen(registrationId))) throw new AppError('registration_not_found');
    return undefined;
  };

  /** The run of a registration that can still be verified. */
  const openRun = (
    registrationId: string,
    { status, workflowId, expiresAt }: RegistrationStanding,
  ): RegistrationRun & { expiresAt: Date } => {
    if (status !== 'VERIFICATION_PENDING') throw new AppError(CLOSED[status]);
    if (expiresAt <= new Date()) throw new AppError('registration_expired');
    return { registrationId, workflowId, expiresAt };
  };

  /** The workflow closed between the look into the database and the update. */
  const closedError = (registration: RegistrationStanding | undefined): AppError =>
    new AppError(registration?.status === 'COMPLETED' ? 'registration_completed' : 'registration_expired');

  /** The account, where this very request opened it and its answer was lost. */
  const openedBefore = (
    { status, lastAttemptId, userId, closedAt }: RegistrationStanding,
    repetitionId: string | undefined,
  ): string | undefined => {
    const isRecent = closedAt !== null && closedAt.getTime() > Date.now() - IDEMPOTENCY_KEY_LIFE_MS;
    const isOwn = status === 'COMPLETED' && repetitionId !== undefined && lastAttemptId === repetitionId;
    return isOwn && isRecent ? (userId ?? undefined) : undefined;
  };

  /** @throws {AppError} `registration_completed` once there is a second factor, which this would go round */
  const reopen = async (userId: string | undefined): Promise<string | undefined> => {
    if (userId !== undefined && (await factors.hasAny(userId))) throw new AppError('registration_completed');
    return userId;
  };

  /**
   * Not the repetition's id alone: Temporal would answer a later repetition with the "too soon" of the first for ever.
   * The part behind it is new for every delivery.
   */
  const resendIdOf = (repetitionId: string | undefined): string =>
    repetitionId === undefined ? randomUUID() : `${repetitionId}/${randomUUID()}`;
  /** Whether this very request has issued the newest code. */
  const sentBefore = ({ lastResendId }: RegistrationStanding, repetitionId: string | undefined): boolean =>
    repetitionId !== undefined && lastResendId?.startsWith(`${repetitionId}/`) === true;

  /** Opens the account. @returns its id */
  const tryCode = async (
    run: RegistrationRun,
    attempt: Omit<VerifyAttempt, 'attemptId'>,
    repetitionId: string | undefined,
  ): Promise<string> => {
    const result = await starter.verifyRegistration(run, { ...attempt, attemptId: repetitionId ?? randomUUID() });
    if (result?.outcome === 'activated') return result.userId;
    if (result !== undefined && result.outcome !== 'already_completed' && result.outcome !== 'expired')
      throw new AppError(result.outcome);
    const registration = await registrations.find(run.registrationId);
    const userId = registration && openedBefore(registration, repetitionId);
    if (userId === undefined) throw closedError(registration);
    return userId;
  };

  return {
    async register({ password, consents = [], locale, ...person }, preferredLocale) {
      await policy.check(password, { person, hasSecondFactor: false, path: '/password' });
      const emailIndex = blindIndex.of('email', person.email);
      const passwordHash = await hasher.hashForRegistration(password, emailIndex);
      const profile: RegistrationProfile = { ...person, locale: locale ?? preferredLocale ?? DEFAULT_LOCALE, consents };
      // A language that was only preferred is no part of the submission: a repetition may come with another header.
      const workflowId = workflowIdOf({ ...person, locale: locale ?? null, consents, passwordHash });
      const registrationId = await startOrJoin({
        workflowId,
        input: { submission: await sealSubmission(workflowId, profile, passwordHash), expiresInMs },
        emailIndex: Buffer.from(emailIndex).toString('hex'),
      });
      return pending(registrationId, registrationExpiry(registrationId, expiresInMs));
    },

    async state(registrationId) {
      const registration = await find(registrationId);
      if (registration === undefined) return pending(registrationId, registrationExpiry(registrationId, expiresInMs));
      const { status, expiresAt } = registration;
      const isExpired = status === 'EXPIRED' || (status === 'VERIFICATION_PENDING' && expiresAt <= new Date());
      if (isExpired) return { ...pending(registrationId, expiresAt), status: 'expired' };
      return {
        ...pending(registrationId, expiresAt),
        status: status === 'COMPLETED' ? 'completed' : 'verification_pending',
      };
    },

    async verify(registrationId, code, origin, repetitionId) {
      const registration = await find(registrationId);
      // Until it is stored no code was issued, so none can be right.
      if (registration === undefined) throw new AppError('invalid_code');
      const userId =
        (await reopen(openedBefore(registration, repetitionId))) ??
        (await tryCode(
          openRun(registrationId, registration),
          { code, callingService: origin.callingService },
          repetitionId,
        ));
      const [user, tokens] = await Promise.all([
        users.findById(userId),
        sessions.open({ userId, amr: ['otp'] }, origin),
        lockOut.remember(userId, origin),
      ]);
      if (user === undefined) throw new AppError('registration_completed');
      // Of a request that is repeated after a role was granted: what needs a second factor is not in force here.
      const roles = deps.policyOfRoles.rolesInForce({ roles: user.roles, isStrong: false, hasStrongFactor: false });
      return { ...tokens, user: deps.toUserResponse({ ...user, roles }) };
    },

    async resend(registrationId, repetitionId) {
      const registration = await find(registrationId);
      // Until it is stored its first mail is still to come.
      if (registration === undefined) throw new AppError('resend_too_soon', { retryAfterSeconds: 60 });
      const run = openRun(registrationId, registration);
      if (sentBefore(registration, repetitionId)) return pending(registrationId, run.expiresAt);
      const result = await starter.resendRegistrationCode(run, resendIdOf(repetitionId));
      if (result === undefined) throw closedError(await registrations.find(registrationId));
      switch (result.outcome) {
        case 'issued':
          return pending(registrationId, run.expiresAt);
        case 'too_soon': {
          // Perhaps because of this very request, whose first delivery was still on its way.
          const now = await registrations.find(registrationId);
          if (now !== undefined && sentBefore(now, repetitionId)) return pending(registrationId, run.expiresAt);
          throw new AppError('resend_too_soon', { retryAfterSeconds: Math.ceil(result.retryAfterMs / 1_000) });
        }
        case 'limit_reached':
          throw new AppError('resend_limit_reached');
        case 'already_completed':
          throw new AppError('registration_completed');
        case 'expired':
          throw new AppError('registration_expired');
      }
    },
  };
};
