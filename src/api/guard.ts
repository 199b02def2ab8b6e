import type { Logger } from 'pino';

import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import { AppError, type ErrorCode } from '../contracts/errors';
import { requireAssurance } from '../identity/assurance';
import { requireEnrolled, requireRolesInForce } from '../identity/mfa-policy';
import { STEP_UP_MAX_AGE_MS } from '../contracts/mfa';
import { isAllowed, type Permission } from '../contracts/permissions';
import type { AppContext } from './context';
import { commonErrors } from './common-errors';
import { type Progress, withDeadline } from './deadline';
import { readJson } from './middleware/json-body';
import type { RouteLimits } from './middleware/rate-limit';
import type { Interceptor, ResponseSpec, Route, RouteAnswer, RouteRequest } from './route';
import { parseInput, toFieldErrors } from './validation';

/** RFC 6750, section 2.1. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** Who was refused what. */
export type OnDenied = (caller: Caller, permission: Permission, origin: RequestOrigin) => Promise<void>;

export interface GuardDependencies {
  readonly authenticate: (bearerToken: string) => Promise<Caller>;
  /** Told of callers who had no right to a route, before they are. */
  readonly onDenied?: OnDenied;
  /** Whether a caller's high-risk acts have to wait. @throws {AppError} `cooling_off` */
  readonly checkHighRisk?: (caller: Caller) => Promise<void>;
  readonly logger: Logger;
  /** Without it nothing is limited. */
  readonly limits?: RouteLimits | undefined;
  readonly config: { readonly maxBodyBytes: number; readonly requestTimeoutMs: number };
  readonly interceptors: readonly Interceptor[];
  /** Problems that the interceptors can answer on any route. */
  readonly interceptorErrors: readonly ErrorCode[];
}

/** What the router has found in the URL. */
export interface Match {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
}
export type Endpoint = (ctx: AppContext, match: Match) => Promise<void> | void;

const bearerToken = (ctx: AppContext): string => {
  const match = BEARER.exec(ctx.req.headers.authorization ?? '');
  if (match?.[1] === undefined) throw new AppError('invalid_token');
  return match[1];
};

const singleHeader = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

type Parsed = Pick<RouteRequest, 'params' | 'query' | 'body' | 'caller'>;

const toRequest = (ctx: AppContext, { params, query, body, caller }: Parsed): RouteRequest => {
  const { headers } = ctx.req;
  return {
    params,
    query,
    body,
    caller,
    requestId: ctx.state.requestId,
    headers: {
      userAgent: headers['user-agent'],
      acceptLanguage: headers['accept-language'],
      idempotencyKey: singleHeader(headers['idempotency-key']),
      deviceId: singleHeader(headers['x-device-id']),
      deviceToken: singleHeader(headers['x-device-token']),
      namespace: singleHeader(headers['x-namespace']),
    },
    ip: ctx.ip,
  };
};

type Handle = (request: RouteRequest) => Promise<RouteAnswer>;

/** The handler inside its interceptors, the first one outermost; composed once, not for every request. */
const compose = (route: Route, interceptors: readonly Interceptor[]): Handle =>
  interceptors.reduceRight<Handle>(
    (inner, intercept) => (request) => intercept(route, request, (changed = request) => inner(changed)),
    route.handler,
  );

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

const send = (ctx: AppContext, route: Route, answer: RouteAnswer): void => {
  const spec = route.responses[answer.status];
  const text = serialize(route, spec, answer);
  if (answer.headers !== undefined) for (const [name, value] of Object.entries(answer.headers)) ctx.set(name, value);
  if (text !== '' && !ctx.res.hasHeader('Content-Type'))
    ctx.res.setHeader('Content-Type', spec?.contentType ?? 'application/json');
  ctx.status = answer.status;
  ctx.body = text;
  if (text === '') ctx.remove('Content-Type');
};

/**
 * Makes routes into endpoints: authenticates, validates, runs the handler within its time, and filters the answer.
 * Who may not call at all learns nothing of what a good request looks like, and costs no reading of a body.
 */
export const createGuard = (dependencies: GuardDependencies) => {
  const { authenticate, onDenied, checkHighRisk, logger, limits, config, interceptors, interceptorErrors } =
    dependencies;

  /** @throws {AppError} `mfa_enrollment_required`, `step_up_required`, `forbidden` */
  const authorize = async (ctx: AppContext, route: Route, caller: Caller | undefined): Promise<void> => {
    if (caller === undefined) return;
    const { permission, duringEnrollment } = route;
    if (duringEnrollment !== true) requireEnrolled(caller);
    if (permission === undefined || isAllowed(caller.roles, permission)) return;
    requireRolesInForce(caller, permission, STEP_UP_MAX_AGE_MS);
    const userAgent = ctx.req.headers['user-agent'];
    await onDenied?.(caller, permission, { requestId: ctx.state.requestId, ip: ctx.ip, userAgent });
    throw new AppError('forbidden');
  };

  /** @throws {AppError} `step_up_required`, `cooling_off` */
  const requireConditions = async ({ assurance, highRisk }: Route, caller: Caller): Promise<void> => {
    if (assurance !== undefined) requireAssurance(caller, assurance);
    if (highRisk === true) await checkHighRisk?.(caller);
  };

  /** From the headers to the handler. Limits come before anything that costs: the reading of a body, a hash, a query. */
  const handleRequest = async (ctx: AppContext, match: Match, route: Route, handle: Handle, progress: Progress) => {
    const caller = route.auth === 'bearer' ? await authenticate(bearerToken(ctx)) : undefined;
    const setHeader = (name: string, value: string) => {
      ctx.set(name, value);
    };
    const passage = await limits?.(route, { caller, address: ctx.ip, setHeader });
    await authorize(ctx, route, caller);
    if (caller !== undefined) await requireConditions(route, caller);
    const params = route.params && parseInput(route.params, match.params, 'name');
    const query = route.query && parseInput(route.query, match.query, 'name');
    const body =
      route.body &&
      parseInput(route.body, await readJson(ctx.req, ctx.res, route.maxBodyBytes ?? config.maxBodyBytes), 'pointer');
    progress.received = true;
    try {
      await passage?.named(body);
      const answer = await handle(toRequest(ctx, { params, query, body, caller }));
      // An answer that is repeated tells nothing new of whoever asks.
      if (answer.headers?.['Idempotency-Replayed'] === undefined) passage?.ended();
      return answer;
    } catch (error) {
      passage?.ended(error);
      throw error;
    }
  };

  return (route: Route): Endpoint => {
    const handle = compose(route, interceptors);
    const declared = new Set<ErrorCode>([...commonErrors(route), ...interceptorErrors, ...route.errors]);
    return async (ctx, match) => {
      try {
        const answer = await withDeadline(config.requestTimeoutMs, (progress) =>
          handleRequest(ctx, match, route, handle, progress),
        );
        send(ctx, route, answer);
      } catch (error) {
        if (error instanceof AppError && !declared.has(error.code)) {
          logger.warn({ operationId: route.operationId, problem: error.code }, 'the route does not declare this error');
        }
        throw error;
      }
    };
  };
};
