import type { SecurityConfig } from '../config/security.config';
import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';
import type { TokensResponse } from '../contracts/session';
import type { AccessTokens, AccessTokenSubject } from '../crypto/access-token';
import type { RefreshTokens } from '../crypto/refresh-token';
import type { SessionRepository } from '../repositories/session-repository';

/** A predecessor may be shown again for so long: lost answers and concurrent tabs must not log anyone out. */
const REFRESH_GRACE_MS = 30_000;

interface Dependencies {
  readonly sessions: SessionRepository;
  readonly accessTokens: AccessTokens;
  readonly refreshTokens: RefreshTokens;
  readonly config: Pick<SecurityConfig, 'jwt' | 'refreshToken'>;
}

/** Of RFC 8176: a password, a one-time code. */
export type AuthenticationMethod = 'pwd' | 'otp';

export interface Sessions {
  /**
   * Opens a session for whoever has just proven who they are; `amr` names how (RFC 8176).
   * @throws {AppError} `invalid_credentials` where the account was locked or erased since
   */
  open(userId: string, amr: readonly AuthenticationMethod[], origin: RequestOrigin): Promise<TokensResponse>;
  /** @throws {AppError} `invalid_refresh_token`; reuse ends the session */
  refresh(refreshToken: string, origin: RequestOrigin): Promise<TokensResponse>;
  end(caller: Caller, origin: RequestOrigin): Promise<void>;
  endAll(caller: Caller, origin: RequestOrigin): Promise<void>;
  /** Checks the token and that its session still lives, in the database: a logout counts at once, everywhere. @throws {AppError} `invalid_token` */
  readonly authenticate: (accessToken: string) => Promise<Caller>;
}

const seconds = (milliseconds: number): number => Math.round(milliseconds / 1_000);

export const createSessions = ({ sessions, accessTokens, refreshTokens, config }: Dependencies): Sessions => {
  const { idleExpiresInMs, absoluteExpiresInMs } = config.refreshToken;

  const answer = async (
    session: AccessTokenSubject,
    refreshToken: string,
    refreshExpiresAt: Date,
  ): Promise<TokensResponse> => ({
    tokenType: 'Bearer',
    accessToken: await accessTokens.issue(session),
    expiresIn: seconds(config.jwt.expiresInMs),
    refreshToken,
    refreshExpiresIn: Math.max(0, seconds(refreshExpiresAt.getTime() - Date.now())),
    sessionId: session.id,
  });

  return {
    async open(userId, amr, origin) {
      const now = Date.now();
      const refreshToken = refreshTokens.first();
      const expiresAt = new Date(now + absoluteExpiresInMs);
      const refreshTokenExpiresAt = new Date(Math.min(now + idleExpiresInMs, expiresAt.getTime()));
      const session = await sessions.create({
        userId,
        acr: 'aal1',
        amr,
        expiresAt,
        refreshTokenHash: refreshTokens.hash(refreshToken),
        refreshTokenExpiresAt,
        origin,
      });
      if (session === undefined) throw new AppError('invalid_credentials');
      return answer(session, refreshToken, refreshTokenExpiresAt);
    },

    async refresh(refreshToken, origin) {
      const successor = refreshTokens.successor(refreshToken);
      const result = await sessions.rotate({
        predecessor: refreshTokens.hash(refreshToken),
        successor: refreshTokens.hash(successor),
        idleExpiresInMs,
        graceMs: REFRESH_GRACE_MS,
        origin,
      });
      if (result.outcome !== 'rotated') throw new AppError('invalid_refresh_token');
      return answer(result.session, successor, result.successorExpiresAt);
    },

    async end(caller, origin) {
      await sessions.end(caller.sessionId, caller.userId, 'LOGOUT', origin);
    },

    async endAll(caller, origin) {
      await sessions.endAll(caller.userId, 'LOGOUT', origin);
    },

    async authenticate(accessToken) {
      const { sid, sub } = await accessTokens.verify(accessToken);
      const session = await sessions.findLive(sid);
      if (session?.userId !== sub) throw new AppError('invalid_token');
      const { id, userId, roles, acr, amr, authTime } = session;
      return { sessionId: id, userId, roles, acr, amr, authTime: Math.floor(authTime.getTime() / 1_000) };
    },
  };
};
