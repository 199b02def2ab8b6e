import { randomUUID } from 'node:crypto';

import { Pool } from 'pg';

import { createVerificationCodes } from '../../src/crypto/verification-code';
import { ValidateTokenRequest, ValidateTokenResponse } from '../../src/generated/proto/auth/v1/auth';

import { createGrpcConnection } from './grpc-connection';
import { serveCalls } from './helper';
import { createHttpConnection, type HttpAnswer, type HttpConnection, type HttpRequest } from './http-connection';
import { closedLoop, type ClosedLoop, openLoop, type OpenLoop, type Outcome } from './load';
import { createMailArrivals } from './mail-arrivals';

interface Target {
  readonly apiPort: number;
  readonly gatewayPort: number;
  readonly grpcPort: number;
  /** What a service shows that calls by gRPC. */
  readonly serviceToken: string;
  readonly databaseUrl: string;
  /** From which the service derives its verification codes. */
  readonly tokenKey: Buffer;
}

/** Somebody with an account and a session. */
interface User {
  readonly email: string;
  readonly password: string;
  accessToken: string;
  refreshToken: string;
}

/** The least of a problem document that tells what went wrong. */
const describe = ({ status, body }: HttpAnswer): string => {
  try {
    return `${String(status)} ${(JSON.parse(body) as { code?: string }).code ?? ''}`.trim();
  } catch {
    return String(status);
  }
};

const judge = (answer: HttpAnswer, expected: number): Outcome => {
  if (answer.status === expected) return 'ok';
  return answer.status === 503 ? 'refused' : { failed: describe(answer) };
};

const newPerson = () => ({
  email: `bench-${randomUUID()}@example.et`,
  password: `a long enough secret ${randomUUID()}`,
  firstName: 'Abebe',
  lastName: 'Bikila',
});

/** Everything that callers of the API do, over one keep-alive connection for each caller. */
const createLoad = ({ apiPort, gatewayPort, grpcPort, serviceToken, databaseUrl, tokenKey }: Target) => {
  const database = new Pool({ connectionString: databaseUrl, max: 2 });
  // It may be idle when the database is stopped after an interruption.
  database.on('error', () => undefined);
  const { arrival } = createMailArrivals(database);
  const codes = createVerificationCodes(tokenKey);
  const users: User[] = [];
  const idle = new Map<number, HttpConnection[]>([
    [apiPort, []],
    [gatewayPort, []],
  ]);
  const grpc = createGrpcConnection(grpcPort, serviceToken);

  const send = async (request: HttpRequest, port = apiPort): Promise<HttpAnswer> => {
    const kept = idle.get(port);
    const connection = kept?.pop() ?? createHttpConnection(port);
    try {
      return await connection.request(request);
    } finally {
      if (kept === undefined) connection.close();
      else kept.push(connection);
    }
  };
  const post = (path: string, body: unknown): Promise<HttpAnswer> => send({ method: 'POST', path, body });

  const userOf = (caller: number): User => {
    const user = users[caller % users.length];
    if (user === undefined) throw new Error('there are no users yet');
    return user;
  };

  const register = async (): Promise<Outcome> => judge(await post('/v1/auth/register', newPerson()), 202);

  /** The way of one person from nothing to an account: the code is entered when the mail with it has gone out. */
  const wholeRegistration = async (): Promise<Outcome> => {
    const person = newPerson();
    const accepted = await post('/v1/auth/register', person);
    if (accepted.status !== 202) return judge(accepted, 202);
    const { registrationId } = JSON.parse(accepted.body) as { registrationId: string };
    await arrival(`verification/${registrationId}/1`);
    const verified = await post(`/v1/auth/register/${registrationId}/verify`, { code: codes.code(registrationId, 1) });
    if (verified.status !== 201) return judge(verified, 201);
    const { accessToken, refreshToken } = JSON.parse(verified.body) as Pick<User, 'accessToken' | 'refreshToken'>;
    users.push({ ...person, accessToken, refreshToken });
    return 'ok';
  };

  const login = async (caller: number): Promise<Outcome> => {
    const { email, password } = userOf(caller);
    return judge(await post('/v1/auth/login', { email, password }), 200);
  };

  const refresh = async (caller: number): Promise<Outcome> => {
    const user = userOf(caller);
    const answer = await post('/v1/auth/refresh', { refreshToken: user.refreshToken });
    if (answer.status === 200) user.refreshToken = (JSON.parse(answer.body) as User).refreshToken;
    return judge(answer, 200);
  };

  const meAt = async (caller: number, port: number): Promise<Outcome> =>
    judge(await send({ method: 'GET', path: '/v1/users/me', accessToken: userOf(caller).accessToken }, port), 200);
  const me = (caller: number): Promise<Outcome> => meAt(caller, apiPort);
  const meThroughGateway = (caller: number): Promise<Outcome> => meAt(caller, gatewayPort);

  /** As other services ask, all over one connection. */
  const validateToken = async (caller: number): Promise<Outcome> => {
    const message = ValidateTokenRequest.encode({ accessToken: userOf(caller).accessToken }).finish();
    const { valid } = ValidateTokenResponse.decode(await grpc.call('/auth.v1.AuthService/ValidateToken', message));
    return valid ? 'ok' : { failed: 'not valid' };
  };

  return { database, register, wholeRegistration, login, refresh, me, meThroughGateway, validateToken };
};

type Load = ReturnType<typeof createLoad>;
let load: Load | undefined;

const current = (): Load => {
  if (load === undefined) throw new Error('call target first');
  return load;
};

const count = async (sql: string): Promise<number> => {
  const { rows } = await current().database.query<{ count: number }>(sql);
  return rows[0]?.count ?? NaN;
};

const handlers = {
  target: (target: Target): Promise<void> => {
    load = createLoad(target);
    return Promise.resolve();
  },
  register: (loop: ClosedLoop) => closedLoop(loop, current().register),
  registerOpen: (loop: OpenLoop) => openLoop(loop, current().register),
  wholeRegistration: (loop: ClosedLoop) => closedLoop(loop, current().wholeRegistration),
  login: (loop: ClosedLoop) => closedLoop(loop, current().login),
  refresh: (loop: ClosedLoop) => closedLoop(loop, current().refresh),
  me: (loop: ClosedLoop) => closedLoop(loop, current().me),
  meThroughGateway: (loop: ClosedLoop) => closedLoop(loop, current().meThroughGateway),
  validateToken: (loop: ClosedLoop) => closedLoop(loop, current().validateToken),
  emptyRoute: ({ port, ...loop }: ClosedLoop & { readonly port: number }) => {
    const connections = Array.from({ length: loop.callers }, () => createHttpConnection(port));
    return closedLoop(loop, async (caller) => {
      const answer = await connections[caller]?.request({ method: 'GET', path: '/v1/users/me', accessToken: 'none' });
      return answer?.status === 200 ? 'ok' : { failed: String(answer?.status) };
    }).finally(() => connections.forEach((connection) => connection.close()));
  },
  /** How far the service has come with what it accepted. */
  progress: async () => ({
    stored: await count('SELECT count(*)::int FROM registrations'),
    codesMailed: await count(
      "SELECT count(*)::int FROM mail_deliveries WHERE key LIKE 'verification/%' AND sent_at IS NOT NULL",
    ),
    welcomed: await count(
      "SELECT count(*)::int FROM mail_deliveries WHERE key LIKE 'welcome/%' AND sent_at IS NOT NULL",
    ),
  }),
};
export type LoadHelper = typeof handlers;

serveCalls(handlers);
