import type { Readable } from 'node:stream';

import { bearerTokenOf } from '../contracts/bearer';
import { AppError } from '../contracts/errors';
import type { AppContext } from './context';
import { readJson } from './middleware/json-body';
import { createOperations, type Exchange, type OperationDependencies } from './operation';
import type { RequestHeaders, ResponseSpec, Route, RouteAnswer } from './route';
import { toFieldErrors } from './validation';

/** What the router has found in the URL. */
export interface Match {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
}
export type Endpoint = (ctx: AppContext, match: Match) => Promise<void> | void;

const bearerToken = (ctx: AppContext): string => {
  const bearer = bearerTokenOf(ctx.req.headers.authorization);
  if (bearer === undefined) throw new AppError('invalid_token');
  return bearer;
};

const singleHeader = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

const headersOf = ({ req: { headers } }: AppContext): RequestHeaders => ({
  userAgent: headers['user-agent'],
  acceptLanguage: headers['accept-language'],
  idempotencyKey: singleHeader(headers['idempotency-key']),
  deviceId: singleHeader(headers['x-device-id']),
  deviceToken: singleHeader(headers['x-device-token']),
  namespace: singleHeader(headers['x-namespace']),
  lastEventId: singleHeader(headers['last-event-id']),
});

const toExchange = (ctx: AppContext, { params, query }: Match): Exchange => ({
  ...{ params, query },
  bearerToken: () => bearerToken(ctx),
  headers: headersOf(ctx),
  requestId: ctx.state.requestId,
  ip: ctx.ip,
  readBody: (maxBytes) => readJson(ctx.req, ctx.res, maxBytes),
  setHeader: (name, value) => {
    ctx.set(name, value);
  },
});

/** The text of an answer, holding only what its schema declares. */
const serialize = (route: Route, spec: ResponseSpec | undefined, answer: RouteAnswer): string => {
  if (spec === undefined)
    throw new Error(`${route.operationId} answered ${String(answer.status)}, which it does not declare`);
  if (spec.schema === undefined) return '';
  const parsed = spec.schema.safeParse(answer.body);
  if (parsed.success) return JSON.stringify(parsed.data);
  const places = toFieldErrors(parsed.error.issues, 'pointer').map(({ path, code }) => `${path} ${code}`);
  throw new Error(`The answer of ${route.operationId} does not fit its schema: ${places.join(', ')}`);
};

const sendStream = (ctx: AppContext, spec: ResponseSpec, stream: Readable): void => {
  // Proxies must not wait for its end, nor keep it.
  ctx.set({ 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  ctx.body = stream;
  ctx.type = spec.contentType ?? 'application/octet-stream';
};

const send = (ctx: AppContext, route: Route, answer: RouteAnswer): void => {
  const spec = route.responses[answer.status];
  if (spec?.stream === true && answer.stream !== undefined) {
    ctx.status = answer.status;
    sendStream(ctx, spec, answer.stream);
    return;
  }
  const text = serialize(route, spec, answer);
  if (answer.headers !== undefined) for (const [name, value] of Object.entries(answer.headers)) ctx.set(name, value);
  if (text !== '' && !ctx.res.hasHeader('Content-Type'))
    ctx.res.setHeader('Content-Type', spec?.contentType ?? 'application/json');
  ctx.status = answer.status;
  ctx.body = text;
  if (text === '') ctx.remove('Content-Type');
};

/** Makes routes into endpoints of HTTP: the operation, and its answer as text that holds what the schema declares. */
export const createGuard = (dependencies: OperationDependencies) => {
  const operationOf = createOperations(dependencies);
  return (route: Route): Endpoint => {
    const operation = operationOf(route);
    return async (ctx, match) => {
      send(ctx, route, await operation(toExchange(ctx, match)));
    };
  };
};
