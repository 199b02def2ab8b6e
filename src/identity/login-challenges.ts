import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { BlindIndex } from '../contracts/data-protection';
import { AppError, type ErrorCode } from '../contracts/errors';
import {
  type FactorCodeAccepted,
  isSentFactor,
  LOGIN_CHALLENGE_MS,
  type LoginChallengeRequest,
  type LoginMfaRequest,
  type MfaRequiredResponse,
  type ShowableFactor,
} from '../contracts/mfa';
import type { LoginMfaResponse } from '../contracts/remembered-device';
import type { TokensResponse } from '../contracts/session';
import type { LoginChallenge, LoginChallengeRepository } from '../repositories/login-challenge-repository';
import type { LoginAccount } from '../repositories/login-repository';

import type { CancelRecovery } from './recovery-cancel';
import type { RequestContext } from './contact-changes';
import { deviceOf } from './device';
import type { FactorCodes } from './factor-codes';
import type { LockOut } from './lock-out';
import type { RememberedDevices } from './remembered-devices';
import type { SecondFactors } from './second-factors';
import type { AuthenticationMethod, Sessions } from './sessions';

interface Dependencies {
  readonly loginChallenges: LoginChallengeRepository;
  readonly secondFactors: SecondFactors;
  readonly codes: Pick<FactorCodes, 'send'>;
  readonly sessions: Pick<Sessions, 'open'>;
  readonly lockOut: Pick<LockOut, 'begin'>;
  readonly remembered: Pick<RememberedDevices, 'remember'>;
  readonly cancelRecovery: CancelRecovery;
  readonly blindIndex: BlindIndex;
  readonly tokens: { create(): string; hash(token: string): Uint8Array<ArrayBuffer> };
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
}

type Hash = Uint8Array<ArrayBuffer>;

/** The second half of a login, however its factor is shown. */
export interface SecondHalf {
  readonly tokenHash: Hash;
  readonly factor: ShowableFactor;
  /** What whoever fails is told. */
  readonly refusal: ErrorCode;
  /** How it was shown (RFC 8176), which uses it up; undefined where it is wrong. */
  readonly prove: (userId: string) => Promise<readonly AuthenticationMethod[] | undefined>;
}

export interface LoginChallenges {
  /** After the right password: what is to be shown next, and by which token. */
  begin(
    account: Pick<LoginAccount, 'userId' | 'passwordChangedAt'>,
    origin: RequestOrigin,
  ): Promise<MfaRequiredResponse>;
  /**
   * Has a code sent that is good for this login alone; the one before it works no more.
   * @throws {AppError} `invalid_mfa_token`, `login_delayed`, and those of `FactorCodes.send`
   */
  sendCode(request: LoginChallengeRequest, context: RequestContext): Promise<FactorCodeAccepted>;
  /**
   * Opens the session. Wrong codes count and are delayed as wrong passwords of the account are, and end the attempt after
   * five. The device is remembered if that is asked for and allowed; a recovery code is no reason to.
   * @throws {AppError} `invalid_mfa_token`, `invalid_code`, `login_delayed`
   */
  complete(request: LoginMfaRequest, origin: RequestOrigin): Promise<LoginMfaResponse>;
  /**
   * Opens the session by a factor that is no code; no device is remembered for it.
   * @throws {AppError} `invalid_mfa_token`, `login_delayed`, and its own refusal
   */
  completeBy(half: SecondHalf, origin: RequestOrigin): Promise<TokensResponse>;
  /** The login that a token belongs to, on this device; takes none of its tries. @throws {AppError} `invalid_mfa_token` */
  find(mfaToken: string, origin: RequestOrigin): Promise<LoginChallenge & { readonly tokenHash: Hash }>;
}

export const createLoginChallenges = (deps: Dependencies): LoginChallenges => {
  const { loginChallenges, secondFactors, codes, sessions, lockOut, remembered, blindIndex, tokens, recordAudit } =
    deps;
  const deviceIndexOf = (userId: string, origin: RequestOrigin): Uint8Array<ArrayBuffer> =>
    blindIndex.of('device', `login-challenge\0${userId}\0${deviceOf(origin).key}`);

  /** Somebody else's device finds nothing, and takes none of its tries. */
  const find = async (tokenHash: Hash, origin: RequestOrigin): Promise<LoginChallenge> => {
    const challenge = await loginChallenges.find(tokenHash);
    if (challenge === undefined || !Buffer.from(deviceIndexOf(challenge.userId, origin)).equals(challenge.deviceIndex))
      throw new AppError('invalid_mfa_token');
    return challenge;
  };

  const openSession = async (
    { userId, passwordChangedAt }: LoginChallenge,
    methods: readonly AuthenticationMethod[],
    isStrong: boolean,
    origin: RequestOrigin,
  ) => {
    try {
      return await sessions.open({ userId, amr: ['pwd', ...methods, 'mfa'], isStrong, passwordChangedAt }, origin);
    } catch (error) {
      // The password was changed, or the account locked, after it was shown.
      if (error instanceof AppError && error.code === 'invalid_credentials')
        throw new AppError('invalid_mfa_token', { cause: error });
      throw error;
    }
  };

  const finish = async ({ tokenHash, factor, refusal, prove }: SecondHalf, origin: RequestOrigin) => {
    const challenge = await find(tokenHash, origin);
    const { userId, emailIndex } = challenge;
    const attempt = await lockOut.begin({ field: 'email', index: emailIndex }, origin);
    if (!(await loginChallenges.takeAttempt(tokenHash))) throw new AppError('invalid_mfa_token');
    const methods = await prove(userId);
    if (methods === undefined) {
      await attempt.failed();
      const [actor, details] = [{ kind: 'anonymous' } as const, { code: refusal, factor }];
      await recordAudit({
        ...{ action: 'login.failed', outcome: 'failure', actor, subjectId: userId, origin, details },
      });
      throw new AppError(refusal);
    }
    // Who has a factor needs no way back; what was begun in the owner's name ends.
    await deps.cancelRecovery(userId, 'second_factor', origin);
    if (!(await loginChallenges.consume(tokenHash))) throw new AppError('invalid_mfa_token');
    const answer = await openSession(challenge, methods, !isSentFactor(factor), origin);
    await attempt.succeeded();
    return { answer, challenge };
  };

  return {
    async begin({ userId, passwordChangedAt }, origin) {
      const mfaToken = tokens.create();
      const factors = await loginChallenges.create({
        ...{ userId, passwordChangedAt, tokenHash: tokens.hash(mfaToken) },
        deviceIndex: deviceIndexOf(userId, origin),
        expiresAt: new Date(Date.now() + LOGIN_CHALLENGE_MS),
      });
      return { mfaRequired: true, mfaToken, factors: [...factors], expiresIn: LOGIN_CHALLENGE_MS / 1_000 };
    },

    async sendCode({ mfaToken, factor }, context) {
      const tokenHash = tokens.hash(mfaToken);
      const { userId, emailIndex } = await find(tokenHash, context.origin);
      await lockOut.begin({ field: 'email', index: emailIndex }, context.origin);
      return codes.send({ userId, factor, purpose: 'LOGIN', boundTo: tokenHash }, context);
    },

    async complete({ mfaToken, factor, code, rememberDevice }, origin) {
      const provenSince = new Date();
      const tokenHash = tokens.hash(mfaToken);
      const prove = async (userId: string) => {
        const method = await secondFactors.prove({ userId, factor, code, purpose: 'LOGIN', boundTo: tokenHash });
        return method && [method];
      };
      const { answer, challenge } = await finish({ tokenHash, factor, refusal: 'invalid_code', prove }, origin);
      if (rememberDevice !== true || factor === 'recovery_code') return answer;
      const { userId, passwordChangedAt } = challenge;
      const { sessionId } = answer;
      const device = await remembered.remember({ userId, passwordChangedAt, sessionId, provenSince }, origin);
      return { ...answer, ...device };
    },

    completeBy: async (half, origin) => (await finish(half, origin)).answer,

    async find(mfaToken, origin) {
      const tokenHash = tokens.hash(mfaToken);
      return { ...(await find(tokenHash, origin)), tokenHash };
    },
  };
};
