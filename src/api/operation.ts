import type { Logger } from 'pino';

import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import { AppError, type ErrorCode } from '../contracts/errors';
import { STEP_UP_MAX_AGE_MS } from '../contracts/mfa';
import { isAllowed, type Permission } from '../contracts/permissions';
import { requireAssurance } from '../identity/assurance';
import { requireEnrolled, requireRolesInForce } from '../identity/mfa-policy';
import { commonErrors } from './common-errors';
import { type Progress, withDeadline } from './deadline';
import type { RouteLimits } from './middleware/rate-limit';
import { originOf } from './origin';
import type { Interceptor, RequestHeaders, Route, RouteAnswer, RouteRequest } from './route';
import { parseInput } from './validation';

/** Who was refused what. */
export type OnDenied = (caller: Caller, permission: Permission, origin: RequestOrigin) => Promise<void>;

export interface OperationDependencies {
  /** @throws {AppError} `invalid_token` */
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

/** One request, whichever door it came through. */
export interface Exchange {
  /** @throws {AppError} `invalid_token` where none was sent */
  readonly bearerToken: () => string;
  readonly headers: RequestHeaders;
  readonly requestId: string;
  /** Address of the client. */
  readonly ip: string;
  /** The service that calls for the client, where one does. */
  readonly callingService?: string;
  readonly params: unknown;
  readonly query: unknown;
  /** The body, parsed but not checked. Asked for only once the request may go on. */
  readonly readBody: (maxBytes: number) => unknown;
  /** Whether nobody waits for the answer any more: then nothing is begun. */
  readonly isOver?: () => boolean;
  /** Headers of the answer that hold whatever becomes of it: those of limits. */
  readonly setHeader: (name: string, value: string) => void;
}

/** What a route does with a request, its rules included. @throws {AppError} for every problem */
export type Operation = (exchange: Exchange) => Promise<RouteAnswer>;

/** @throws {AppError} that nobody reads: nothing is begun for whoever has left */
const requireListener = ({ isOver }: Exchange): void => {
  if (isOver?.() === true) throw new AppError('service_unavailable', { retryAfterSeconds: 1 });
};

type Handle = (request: RouteRequest) => Promise<RouteAnswer>;

/** The handler inside its interceptors, the first one outermost; composed once, not for every request. */
const compose = (route: Route, interceptors: readonly Interceptor[]): Handle =>
  interceptors.reduceRight<Handle>(
    (inner, intercept) => (request) => intercept(route, request, (changed = request) => inner(changed)),
    route.handler,
  );

/**
 * Makes routes into operations: authenticates, limits, validates and runs the handler within its time, the same for every door.
 * Who may not call at all learns nothing of what a good request looks like, and costs no reading of a body.
 */
export const createOperations = (dependencies: OperationDependencies) => {
  const { authenticate, onDenied, checkHighRisk, logger, limits, config, interceptors, interceptorErrors } =
    dependencies;

  /** @throws {AppError} `mfa_enrollment_required`, `step_up_required`, `forbidden` */
  const authorize = async (exchange: Exchange, route: Route, caller: Caller): Promise<void> => {
    const { permission, duringEnrollment } = route;
    if (duringEnrollment !== true) requireEnrolled(caller);
    if (permission === undefined || isAllowed(caller.roles, permission)) return;
    requireRolesInForce(caller, permission, STEP_UP_MAX_AGE_MS);
    await onDenied?.(caller, permission, originOf(exchange));
    throw new AppError('forbidden');
  };

  /** @throws {AppError} `step_up_required`, `cooling_off` */
  const requireConditions = async ({ assurance, highRisk }: Route, caller: Caller): Promise<void> => {
    if (assurance !== undefined) requireAssurance(caller, assurance);
    if (highRisk === true) await checkHighRisk?.(caller);
  };

  /** Limits come before anything that costs: the reading of a body, a hash, a query. */
  const perform = async (
    exchange: Exchange,
    route: Route,
    handle: Handle,
    progress: Progress,
  ): Promise<RouteAnswer> => {
    const { headers, requestId, ip, callingService, setHeader } = exchange;
    const caller = route.auth === 'bearer' ? await authenticate(exchange.bearerToken()) : undefined;
    const passage = await limits?.(route, { caller, address: ip, setHeader });
    if (caller !== undefined) {
      await authorize(exchange, route, caller);
      await requireConditions(route, caller);
    }
    const params = route.params && parseInput(route.params, exchange.params, 'name');
    const query = route.query && parseInput(route.query, exchange.query, 'name');
    const maxBytes = route.maxBodyBytes ?? config.maxBodyBytes;
    const body = route.body && parseInput(route.body, await exchange.readBody(maxBytes), 'pointer');
    progress.received = true;
    try {
      await passage?.named(body);
      requireListener(exchange);
      const answer = await handle({ params, query, body, caller, headers, requestId, ip, callingService });
      // An answer that is repeated tells nothing new of whoever asks.
      if (answer.headers?.['Idempotency-Replayed'] === undefined) passage?.ended();
      return answer;
    } catch (error) {
      passage?.ended(error);
      throw error;
    }
  };

  return (route: Route): Operation => {
    const handle = compose(route, interceptors);
    const declared = new Set<ErrorCode>([...commonErrors(route), ...interceptorErrors, ...route.errors]);
    return async (exchange) => {
      try {
        return await withDeadline(config.requestTimeoutMs, (progress) => perform(exchange, route, handle, progress));
      } catch (error) {
        if (error instanceof AppError && !declared.has(error.code)) {
          logger.warn({ operationId: route.operationId, problem: error.code }, 'the route does not declare this error');
        }
        throw error;
      }
    };
  };
};
