import type { SecurityConfig } from '../config/security.config';
import type { TokensConfig } from '../config/tokens.config';
import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';
import type { SessionsResponse, TokensResponse } from '../contracts/session';
import type { AccessTokens } from '../crypto/access-token';
import type { RefreshTokens } from '../crypto/refresh-token';
import type { DeviceRepository } from '../repositories/device-repository';
import type { SessionRepository } from '../repositories/session-repository';
import type { Session } from '../repositories/session-row';

import { deviceOf } from './device';
import type { MfaPolicy } from './mfa-policy';
import type { Notices } from './notices';

/** A predecessor may be shown again for so long: lost answers and concurrent tabs must not log anyone out. */
const REFRESH_GRACE_MS = 30_000;
/** Logins of one account that may be under way at the same time, each not seeing the others; the rate limits allow fewer. */
const CONCURRENT_LOGINS = 64;

interface Dependencies {
  readonly sessions: SessionRepository;
  readonly accessTokens: AccessTokens;
  readonly refreshTokens: RefreshTokens;
  readonly devices: DeviceRepository;
  readonly notices: Pick<Notices, 'tell'>;
  readonly policy: Pick<MfaPolicy, 'rolesInForce' | 'mustEnroll'>;
  readonly config: Pick<SecurityConfig, 'refreshToken' | 'maxSessionsPerUser'>;
  readonly tokenLife: Pick<TokensConfig['jwt'], 'expiresInMs'>;
}

/** Of RFC 8176: a password, a one-time code, one that came as an SMS, a key in hardware or in software, presence, several factors. */
export type AuthenticationMethod = 'pwd' | 'otp' | 'sms' | 'hwk' | 'swk' | 'user' | 'mfa';

/** Who has just proven who they are, and how. */
export interface Opening {
  readonly userId: string;
  readonly amr: readonly AuthenticationMethod[];
  /** Whether a strong second factor was shown: no code by mail or SMS. A passkey always is one. */
  readonly isStrong?: boolean | undefined;
  /** When the password was set that was shown, if one was. */
  readonly passwordChangedAt?: Date | undefined;
}

export interface Sessions {
  /**
   * Opens a session for whoever has just proven who they are; `amr` names how (RFC 8176). The owner is told of a device that
   * the account had not seen.
   * @throws {AppError} `invalid_credentials` where the account was locked or erased, or its password changed, since
   */
  open(opening: Opening, origin: RequestOrigin): Promise<TokensResponse>;
  /** @throws {AppError} `invalid_refresh_token`; reuse ends the session, and its owner is told */
  refresh(refreshToken: string, origin: RequestOrigin): Promise<TokensResponse>;
  end(caller: Pick<Caller, 'sessionId' | 'userId'>, origin: RequestOrigin): Promise<void>;
  endAll(caller: Caller, origin: RequestOrigin): Promise<void>;
  /**
   * The caller has just shown a second factor: the session is `aal2` from now on, and has the next refresh token. The one before
   * is used up, as by a refresh: shown within half a minute it gives the same next one. Roles that need a strong second factor come
   * into force with one.
   * @throws {AppError} `invalid_token` where the session has ended meanwhile
   */
  raise(
    caller: Caller,
    method: AuthenticationMethod,
    origin: RequestOrigin,
    isStrong?: boolean,
  ): Promise<TokensResponse>;
  /** The caller's sessions that can go on. */
  list(caller: Caller): Promise<SessionsResponse['sessions']>;
  /** Ends one of the caller's sessions. @throws {AppError} `session_not_found` */
  revoke(caller: Caller, sessionId: string, origin: RequestOrigin): Promise<void>;
  /** Checks the token and that its session still lives, in the database: a logout counts at once, everywhere. @throws {AppError} `invalid_token` */
  readonly authenticate: (accessToken: string) => Promise<Caller>;
}

/** Of RFC 8176: a key in hardware or in software, which is what passkeys are. */
const KEYS: ReadonlySet<string> = new Set(['hwk', 'swk']);
const seconds = (milliseconds: number): number => Math.round(milliseconds / 1_000);

export const createSessions = (dependencies: Dependencies): Sessions => {
  const { sessions, devices, notices, accessTokens, refreshTokens, policy, config, tokenLife } = dependencies;

  const answer = async (session: Session, refreshToken: string, refreshExpiresAt: Date): Promise<TokensResponse> => ({
    tokenType: 'Bearer',
    accessToken: await accessTokens.issue({ ...session, roles: policy.rolesInForce(session) }),
    expiresIn: seconds(tokenLife.expiresInMs),
    refreshToken,
    refreshExpiresIn: Math.max(0, seconds(refreshExpiresAt.getTime() - Date.now())),
    sessionId: session.id,
    ...(policy.mustEnroll(session) && { mfaEnrollmentRequired: true }),
  });

  return {
    async open({ userId, amr, passwordChangedAt, ...opening }, origin) {
      const now = Date.now();
      const { idleExpiresInMs, absoluteExpiresInMs } = config.refreshToken;
      const refreshToken = refreshTokens.first();
      const expiresAt = new Date(now + absoluteExpiresInMs);
      const refreshTokenExpiresAt = new Date(Math.min(now + idleExpiresInMs, expiresAt.getTime()));
      const opened = await sessions.create({
        userId,
        acr: amr.includes('mfa') ? 'aal2' : 'aal1',
        amr,
        isStrong: opening.isStrong ?? amr.some((method) => KEYS.has(method)),
        expiresAt,
        refreshTokenHash: refreshTokens.hash(refreshToken),
        refreshTokenExpiresAt,
        device: deviceOf(origin),
        passwordChangedAt,
        origin,
      });
      if (opened === undefined) throw new AppError('invalid_credentials');
      const { session, isNewDevice, othersAlive } = opened;
      const limit = config.maxSessionsPerUser;
      if (othersAlive + CONCURRENT_LOGINS >= limit) await devices.endSurplus(userId, limit, origin);
      if (isNewDevice) notices.tell({ name: 'session:new-device', eventId: session.id, userId });
      return answer(session, refreshToken, refreshTokenExpiresAt);
    },

    async refresh(refreshToken, origin) {
      const successor = refreshTokens.successor(refreshToken);
      const result = await sessions.rotate({
        predecessor: refreshTokens.hash(refreshToken),
        successor: refreshTokens.hash(successor),
        idleExpiresInMs: config.refreshToken.idleExpiresInMs,
        graceMs: REFRESH_GRACE_MS,
        origin,
      });
      if (result.outcome === 'reused')
        notices.tell({ name: 'session:reuse-detected', eventId: result.sessionId, userId: result.userId });
      if (result.outcome !== 'rotated') throw new AppError('invalid_refresh_token');
      const next = result.wasRaised ? refreshTokens.raised(refreshTokens.hash(refreshToken)) : successor;
      return answer(result.session, next, result.successorExpiresAt);
    },

    async end(caller, origin) {
      await sessions.end(caller.sessionId, caller.userId, 'LOGOUT', origin);
    },

    async endAll(caller, origin) {
      await sessions.endAll(caller.userId, 'LOGOUT', origin);
    },

    async raise({ sessionId, userId, amr }, method, origin, isStrong = KEYS.has(method)) {
      const raised = await sessions.raise({
        ...{ sessionId, userId, origin, isStrong },
        amr: [...new Set([...amr, method, 'mfa'])],
        successorOf: (predecessor) => refreshTokens.hash(refreshTokens.raised(predecessor)),
        idleExpiresInMs: config.refreshToken.idleExpiresInMs,
      });
      if (raised === undefined) throw new AppError('invalid_token');
      return answer(raised.session, refreshTokens.raised(raised.predecessor), raised.refreshTokenExpiresAt);
    },

    async list(caller) {
      const found = await devices.list(caller.userId);
      return found.map(({ id, createdAt, lastUsedAt, device }) => ({
        id,
        createdAt: createdAt.toISOString(),
        lastUsedAt: lastUsedAt.toISOString(),
        current: id === caller.sessionId,
        userAgent: device?.userAgent ?? null,
        ip: device?.ip ?? null,
      }));
    },

    async revoke(caller, sessionId, origin) {
      if (!(await sessions.end(sessionId, caller.userId, 'REVOKED_BY_USER', origin)))
        throw new AppError('session_not_found');
    },

    async authenticate(accessToken) {
      const { sid, sub, exp } = await accessTokens.verify(accessToken);
      const session = await sessions.findLive(sid);
      if (session?.userId !== sub) throw new AppError('invalid_token');
      const { id, userId, acr, amr, authTime } = session;
      const roles = policy.rolesInForce(session);
      return {
        ...{ sessionId: id, userId, roles, acr, amr, authTime: Math.floor(authTime.getTime() / 1_000) },
        rolesOnHold: roles === session.roles ? [] : session.roles.filter((role) => !roles.includes(role)),
        mfaEnrollmentRequired: policy.mustEnroll(session),
        tokenExpiresAt: exp,
      };
    },
  };
};
