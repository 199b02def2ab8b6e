import { Metadata } from '@grpc/grpc-js';

import type { Exchange, Operation } from '../api/operation';
import type { RouteAnswer } from '../api/route';
import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';
import type { LoginResponse } from '../contracts/mfa';
import { permissionsOf } from '../contracts/permissions';
import type { LoginMfaResponse } from '../contracts/remembered-device';
import { STREAM_ID_PATTERN } from '../contracts/revocation';
import type { TokensResponse, UserResponse } from '../contracts/session';
import type { Revocations } from '../events/revocations';
import type { AuthServiceServer, ValidateTokenResponse } from '../generated/proto/auth/v1/auth';

import type { CallContext } from './call-context';
import type { Door } from './door';
import { toAuthenticateResponse, toCompleteMfaResponse, toTokens, toUser, toWatchResponse } from './messages';

/** Operations of the HTTP API that are calls here as well, by their names in its document. */
export const OPERATIONS = [
  'register',
  'verifyRegistration',
  'login',
  'completeLogin',
  'refresh',
  'logout',
  'getMe',
] as const;
export type Operations = Readonly<Record<(typeof OPERATIONS)[number], Operation>>;

interface Dependencies {
  readonly operations: Operations;
  /** @throws {AppError} `invalid_token` */
  readonly authenticate: (accessToken: string) => Promise<Caller>;
  readonly revocations: Revocations;
  readonly door: Door;
}

type Input = Partial<Pick<Exchange, 'params'>> & { readonly body?: unknown; readonly accessToken?: string };

const toExchange = (
  { caller, headers, requestId, ip, isOver, trailers }: CallContext,
  { params, body, accessToken }: Input,
): Exchange => ({
  ...{ headers, requestId, ip, callingService: caller, params, query: {} },
  bearerToken: () => {
    if (accessToken === undefined || accessToken === '') throw new AppError('invalid_token');
    return accessToken;
  },
  // It has arrived, and is no larger than a message may be.
  readBody: () => body,
  isOver,
  setHeader: (name, value) => {
    trailers.set(name, value);
  },
});

/** An answer that was given before says so, as the HTTP API does. */
const replayed = ({ headers }: RouteAnswer): { metadata?: Metadata } => {
  const value = headers?.['Idempotency-Replayed'];
  if (value === undefined) return {};
  const metadata = new Metadata();
  metadata.set('idempotency-replayed', value);
  return { metadata };
};

const INVALID: ValidateTokenResponse = {
  ...{ valid: false, subject: '', roles: [], permissions: [], sessionId: '', acr: '', amr: [] },
  ...{ authTime: undefined, expiresAt: undefined },
};
const instant = (seconds: number): Date => new Date(seconds * 1_000);

const toValid = (caller: Caller): ValidateTokenResponse => ({
  valid: true,
  subject: caller.userId,
  roles: [...caller.roles],
  permissions: [...permissionsOf(caller.roles)],
  sessionId: caller.sessionId,
  acr: caller.acr,
  amr: [...caller.amr],
  authTime: instant(caller.authTime),
  expiresAt: instant(caller.tokenExpiresAt),
});

const checkCursor = (cursor: string | undefined): void => {
  if (cursor === undefined || STREAM_ID_PATTERN.test(cursor)) return;
  const error = { path: '/cursor', code: 'invalid_cursor', message: 'is not a cursor of this stream' } as const;
  throw new AppError('validation_failed', { errors: [error] });
};

/** The calls of auth.v1.AuthService: the operations of the HTTP API, and the two that are for services only. */
export const createAuthService = ({ operations, authenticate, revocations, door }: Dependencies): AuthServiceServer => {
  /** Runs an operation and makes a message of its answer. The form of the answer is what the operation's route declares. */
  const call = async <Message>(
    operation: Operation,
    exchange: Exchange,
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each names the form of its operation's answer
    toMessage: (answer: any) => Message,
  ): Promise<{ message: Message; metadata?: Metadata }> => {
    const answer = await operation(exchange);
    return { message: toMessage(answer.body), ...replayed(answer) };
  };

  return {
    registerUser: door.unary('RegisterUser', ({ consents, ...request }, context) =>
      call(
        operations.register,
        toExchange(context, { body: { ...request, ...(consents.length > 0 && { consents }) } }),
        (answer: { registrationId: string; status: string; expiresAt: string }) => ({
          ...answer,
          expiresAt: new Date(answer.expiresAt),
        }),
      ),
    ),

    verifyRegistration: door.unary('VerifyRegistration', ({ registrationId, code }, context) =>
      call(
        operations.verifyRegistration,
        toExchange(context, { params: { registrationId }, body: { code } }),
        (answer: TokensResponse & { user: UserResponse }) => ({ tokens: toTokens(answer), user: toUser(answer.user) }),
      ),
    ),

    authenticateUser: door.unary('AuthenticateUser', ({ identifier, password }, context) =>
      call(
        operations.login,
        toExchange(context, { body: { ...(identifier && { [identifier.$case]: identifier.value }), password } }),
        (answer: LoginResponse) => toAuthenticateResponse(answer),
      ),
    ),

    completeMfa: door.unary('CompleteMfa', ({ rememberDevice, ...request }, context) =>
      call(
        operations.completeLogin,
        toExchange(context, { body: { ...request, ...(rememberDevice && { rememberDevice }) } }),
        (answer: LoginMfaResponse) => toCompleteMfaResponse(answer),
      ),
    ),

    validateToken: door.unary('ValidateToken', async ({ accessToken }) => {
      try {
        return { message: toValid(await authenticate(accessToken)) };
      } catch (error) {
        if (error instanceof AppError && error.code === 'invalid_token') return { message: INVALID };
        throw error;
      }
    }),

    refreshToken: door.unary('RefreshToken', (request, context) =>
      call(operations.refresh, toExchange(context, { body: request }), (answer: TokensResponse) => ({
        tokens: toTokens(answer),
      })),
    ),

    logoutUser: door.unary('LogoutUser', ({ accessToken }, context) =>
      call(operations.logout, toExchange(context, { accessToken }), () => ({})),
    ),

    getUser: door.unary('GetUser', ({ accessToken }, context) =>
      call(operations.getMe, toExchange(context, { accessToken }), (user: UserResponse) => ({ user: toUser(user) })),
    ),

    watchRevocations: door.stream('WatchRevocations', async ({ cursor }, write, signal) => {
      checkCursor(cursor);
      for await (const message of revocations.watch(cursor, signal)) await write(toWatchResponse(message));
    }),
  };
};
