import type { LoginResponse } from '../contracts/mfa';
import type { LoginMfaResponse } from '../contracts/remembered-device';
import type { RevocationMessage } from '../contracts/revocation';
import type { TokensResponse, UserResponse } from '../contracts/session';
import type {
  AuthenticateUserResponse,
  CompleteMfaResponse,
  Tokens,
  User,
  WatchRevocationsResponse,
} from '../generated/proto/auth/v1/auth';

const duration = (seconds: number) => ({ seconds, nanos: 0 });

export const toTokens = (tokens: TokensResponse): Tokens => ({
  accessToken: tokens.accessToken,
  expiresIn: duration(tokens.expiresIn),
  refreshToken: tokens.refreshToken,
  refreshExpiresIn: duration(tokens.refreshExpiresIn),
  sessionId: tokens.sessionId,
  mfaEnrollmentRequired: tokens.mfaEnrollmentRequired === true,
});

/** What is not there is absent, not empty. */
const optional = (value: string | null): string | undefined => value ?? undefined;

export const toUser = (user: UserResponse): User => ({
  id: user.id,
  email: user.email,
  emailVerified: user.emailVerified,
  phone: optional(user.phone),
  phoneVerified: user.phoneVerified,
  faydaId: optional(user.faydaId),
  firstName: optional(user.firstName),
  lastName: optional(user.lastName),
  locale: user.locale,
  roles: [...user.roles],
  restrictions: user.restrictions.map(({ act, until }) => ({ act, until: new Date(until) })),
  createdAt: new Date(user.createdAt),
});

export const toAuthenticateResponse = (answer: LoginResponse): AuthenticateUserResponse =>
  'mfaRequired' in answer
    ? {
        result: {
          $case: 'mfaChallenge',
          value: { mfaToken: answer.mfaToken, factors: [...answer.factors], expiresIn: duration(answer.expiresIn) },
        },
      }
    : { result: { $case: 'tokens', value: toTokens(answer) } };

export const toCompleteMfaResponse = (answer: LoginMfaResponse): CompleteMfaResponse => ({
  tokens: toTokens(answer),
  deviceToken: answer.deviceToken,
  deviceTokenExpiresAt: answer.deviceTokenExpiresAt === undefined ? undefined : new Date(answer.deviceTokenExpiresAt),
});

export const toWatchResponse = (message: RevocationMessage): WatchRevocationsResponse => {
  if ('ready' in message) return { message: { $case: 'ready', value: {} } };
  if ('sessionId' in message)
    return { message: { $case: 'revocation', value: { ...message, endedAt: new Date(message.endedAt) } } };
  const value = { ...message, roles: [...message.roles], changedAt: new Date(message.changedAt) };
  return { message: { $case: 'rolesChange', value } };
};
