import type { MethodDefinition, ServiceError } from '@grpc/grpc-js';

import { AuthError } from './auth-error';
import { callMetadata, channelCredentials, channelOptions, type ConnectOptions } from './connect';
import { AuthServiceClient, AuthServiceService, type WatchRevocationsResponse } from './generated/auth/v1/auth';

export interface CallOptions {
  /** That of the client where left out. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** For whom this call is: `x-client-address`, `x-device-id`, `idempotency-key`, `accept-language`, ... */
  readonly metadata?: Readonly<Record<string, string>>;
}

type RequestOf<D> = D extends { readonly requestDeserialize: (bytes: Buffer) => infer Q } ? Q : never;
type AnswerOf<D> = D extends { readonly responseDeserialize: (bytes: Buffer) => infer A } ? A : never;
type Methods = typeof AuthServiceService;
type UnaryName = Exclude<keyof Methods, 'watchRevocations'>;

/** @throws {AuthError} */
type Unary<Name extends UnaryName> = (
  request: RequestOf<Methods[Name]>,
  options?: CallOptions,
) => Promise<AnswerOf<Methods[Name]>>;

/** A session that has ended. */
export interface RevokedSession {
  readonly cursor: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly endedAt: Date | undefined;
}

/** The roles that an account may claim from now on: its tokens that claim another one are not good any more. */
export interface ChangedRoles {
  readonly cursor: string;
  readonly userId: string;
  readonly roles: readonly string[];
  readonly changedAt: Date | undefined;
}

/** The calls of `auth.v1.AuthService`, as promises. */
export type AuthClient = { readonly [Name in UnaryName]: Unary<Name> } & {
  /**
   * Sessions that end and roles that change: those that matter now or came after `cursor`, `{ ready: true }`, then each as it ends.
   * Ends when `signal` aborts.
   *
   * @throws {AuthError} when the connection is lost; go on with the last cursor
   */
  readonly watchRevocations: (
    cursor: string | undefined,
    signal: AbortSignal,
  ) => AsyncIterable<RevokedSession | ChangedRoles | { readonly ready: true }>;
  readonly close: () => void;
};

const DEADLINE_MS = 5_000;

const createCall =
  (client: AuthServiceClient, connection: ConnectOptions) =>
  <Q, A>(definition: MethodDefinition<Q, A>) =>
  async (request: Q, { deadlineMs, signal, metadata }: CallOptions = {}): Promise<A> => {
    const sent = await callMetadata(connection, metadata);
    signal?.throwIfAborted();
    const deadline = Date.now() + (deadlineMs ?? connection.deadlineMs ?? DEADLINE_MS);
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = definition;
      const onAnswer = (error: ServiceError | null, answer?: A): void => {
        signal?.removeEventListener('abort', cancel);
        if (error === null) resolve(answer as A);
        else reject(new AuthError(error));
      };
      const call = client.makeUnaryRequest(
        ...([path, requestSerialize, responseDeserialize, request, sent, { deadline }] as const),
        onAnswer,
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  };

const createWatch = (client: AuthServiceClient, connection: ConnectOptions): AuthClient['watchRevocations'] =>
  async function* watchRevocations(cursor, signal) {
    const isAborted = (): boolean => signal.aborted;
    const sent = await callMetadata(connection);
    if (isAborted()) return;
    const call = client.watchRevocations({ cursor }, sent);
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for await (const { message } of call as AsyncIterable<WatchRevocationsResponse>) {
        if (message?.$case === 'revocation' || message?.$case === 'rolesChange') yield message.value;
        else if (message?.$case === 'ready') yield { ready: true };
      }
    } catch (error) {
      if (isAborted()) return;
      throw new AuthError(error as ServiceError);
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  };

/** Opens one connection, which all calls share: one client for each process. It connects at the first call. */
export const connect = (connection: ConnectOptions): AuthClient => {
  const options = channelOptions(connection.channel);
  const client = new AuthServiceClient(connection.address, channelCredentials(connection), options);
  const call = createCall(client, connection);
  const methods: Methods = AuthServiceService;
  return {
    registerUser: call(methods.registerUser),
    verifyRegistration: call(methods.verifyRegistration),
    authenticateUser: call(methods.authenticateUser),
    completeMfa: call(methods.completeMfa),
    validateToken: call(methods.validateToken),
    refreshToken: call(methods.refreshToken),
    logoutUser: call(methods.logoutUser),
    getUser: call(methods.getUser),
    watchRevocations: createWatch(client, connection),
    close: () => client.close(),
  };
};
