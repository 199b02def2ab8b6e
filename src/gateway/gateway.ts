import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Logger } from 'pino';

import { createRequestIds } from '../api/request-ids';
import { AppError, type ErrorCode } from '../contracts/errors';
import { traceIdOf } from '../contracts/trace-context';
import type { FloodLimit } from '../limits/flood-limit';
import type { GatewayMetrics } from '../observability/gateway-metrics';
import type { Metrics } from '../observability/metrics';
import { beginRequest } from '../observability/span';

import { clientAddress, clientScheme } from './client';
import type { Documents } from './documents';
import type { EdgeClaims, EdgeTokens } from './edge-tokens';
import { ClientGone, unavailable } from './fault';
import { type Exchange, forward, type Passage } from './forward';
import { checkHeaders, requestHeaders } from './headers';
import { KeysUnavailable } from './jwks';
import type { Route, Routes } from './table';
import { readTarget, type Target } from './target';
import { traceHeaders } from './trace';
import { openTunnel } from './tunnel';
import { admit, endVisit, type Visit } from './visit';

export interface GatewayDependencies {
  /** Those in force. */
  readonly routes: () => Routes;
  readonly tokens: EdgeTokens;
  readonly documents: Documents;
  readonly limit: FloodLimit;
  /** What the gateway serves itself. */
  readonly own: {
    /** What every answer says, unless its service says otherwise. */
    readonly headers: Readonly<Record<string, string>>;
    readonly has: (path: string) => boolean;
    readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    /** Answers with a problem. */
    readonly refuse: (
      request: IncomingMessage,
      response: ServerResponse,
      error: unknown,
      route: string,
    ) => Promise<void>;
  };
  readonly config: {
    readonly trustedProxyHops: number;
    /** Longest time for which a client may take nothing of its answer, milliseconds. */
    readonly slowReaderTimeoutMs: number;
  };
  readonly trust: {
    /** Known to the auth service as well; the first one is sent. */
    readonly secrets: readonly Buffer[] | undefined;
  };
  readonly isSecure: boolean;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly counters: GatewayMetrics;
}

/** By which other gateways on the way are told, and loops are found (RFC 9110, 7.6.3). */
const VIA = '1.1 meqenet-gateway';

const PROBES = new Set(['/healthz', '/readyz']);
const ENDS_CONNECTION = new Set<ErrorCode>(['malformed_request', 'headers_too_large']);

const joined = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(',') : value;

const isWebSocket = ({ headers, method }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';

export const createGateway = (dependencies: GatewayDependencies) => {
  const { routes, tokens, documents, limit, own, config, trust, isSecure, logger, metrics, counters } = dependencies;
  const idOf = createRequestIds();
  const eventStreams = new Set<ServerResponse>();
  let isDraining = false;

  const needsToken = (
    { auth: rule, service }: Route,
    method: string,
    path: string,
  ): 'always' | 'if-there' | 'never' => {
    // A preflight brings no token, and tells nothing.
    if (rule === 'none' || method === 'OPTIONS') return 'never';
    if (rule !== 'document') return rule === 'bearer' ? 'always' : 'if-there';
    // The auth service checks for itself; of another one nothing may be open that its document does not say is.
    const isChecked = service.settings.kind === 'auth';
    if (!isChecked && !documents.has(service.name)) throw unavailable();
    return (documents.needsToken(service.name, method, path) ?? !isChecked) ? 'always' : 'never';
  };

  /** @throws {AppError} `invalid_token`, or `service_unavailable` where nobody behind the gateway would check it */
  const authenticate = async (route: Route, { request }: Visit, path: string): Promise<EdgeClaims | undefined> => {
    const { authorization } = request.headers;
    const need = needsToken(route, request.method ?? '', path);
    if (need === 'never' || (need === 'if-there' && authorization === undefined)) return undefined;
    try {
      return await tokens.check(authorization);
    } catch (error) {
      if (error instanceof AppError) counters.refusedTokens.inc();
      if (!(error instanceof KeysUnavailable)) throw error;
      if (route.service.settings.kind !== 'auth') throw unavailable();
      counters.unchecked.inc();
      return undefined;
    }
  };

  const headersFor = (route: Route, visit: Visit, target: Target, claims: EdgeClaims | undefined): string[] => {
    const { request, requestId, address } = visit;
    const host = target.host ?? request.headers.host ?? '';
    const scheme = clientScheme(isSecure, joined(request.headers['x-forwarded-proto']), config.trustedProxyHops);
    const headers = requestHeaders(request.rawHeaders);
    headers.push('Host', host, 'X-Request-Id', requestId, 'Via', VIA);
    headers.push('X-Forwarded-For', address, 'X-Forwarded-Proto', scheme, 'X-Forwarded-Host', host);
    headers.push(...visit.trace);
    if (route.service.settings.kind === 'auth') {
      const [shared] = trust.secrets ?? [];
      if (shared !== undefined) headers.push('X-Gateway-Secret', shared.toString('base64'));
    } else if (claims !== undefined) {
      headers.push('X-User-Id', claims.userId, 'X-User-Roles', claims.roles.join(','));
      headers.push('X-Session-Id', claims.sessionId);
    }
    return headers;
  };

  const toExchange = (route: Route, visit: Visit, target: Target, claims: EdgeClaims | undefined): Exchange => {
    const { request, response, requestId, address, socket, head, limitHeaders } = visit;
    const { sticky } = route.service.settings;
    const stickyKeys = { none: undefined, address, session: claims?.sessionId ?? address };
    const upgradesTo = socket !== undefined && route.webSocket && isWebSocket(request) ? socket : undefined;
    return {
      ...{ request, response, route },
      path: target.path + target.query,
      headers: headersFor(route, visit, target, claims),
      stickyKey: stickyKeys[sticky],
      answerHeaders: { 'X-Request-Id': requestId, ...limitHeaders, ...own.headers },
      onUpgrade:
        upgradesTo &&
        ((headers, upstream) => {
          response.statusCode = 101;
          response.detachSocket(upgradesTo);
          upgradesTo.setTimeout(0);
          endVisit(visit, 101);
          openTunnel({ client: upgradesTo, head, upstream, headers: [...headers, 'X-Request-Id', requestId] });
        }),
      onEventStream: () => {
        if (isDraining) response.end();
        eventStreams.add(response);
        response.once('close', () => eventStreams.delete(response));
      },
    };
  };

  const record = (visit: Visit, route: Route, passage: Passage, outcome: string, start: number): void => {
    const { response, request, requestId, span, trace } = visit;
    const traceId = span?.traceId ?? traceIdOf(trace[1]);
    const [service, method] = [route.service.name, request.method ?? ''];
    counters.forwarded.inc({ service, upstream: passage.upstream ?? 'none', outcome });
    if (passage.attempts > 1) counters.repeated.inc({ service }, passage.attempts - 1);
    const durationMs = performance.now() - start;
    metrics.httpRequestDuration.observe({ method, route: route.path, status: response.statusCode }, durationMs / 1_000);
    const line = { requestId, traceId, method, route: route.path, service, ...passage, status: response.statusCode };
    logger.info({ ...line, durationMs: Math.round(durationMs * 100) / 100 }, 'request');
  };

  /** @throws {AppError} what keeps the request from going on; {ClientGone} */
  const pass = async (visit: Visit, target: Target, route: Route, start: number): Promise<void> => {
    const passage: Passage = { upstream: undefined, attempts: 0 };
    const { response, address } = visit;
    if (route.limit !== undefined) admit(visit, await limit.admitTo(route.path, address, route.limit));
    const claims = await authenticate(route, visit, target.path);
    const exchange = toExchange(route, visit, target, claims);
    try {
      await forward(exchange, passage);
    } catch (error) {
      if (error instanceof ClientGone || error instanceof AppError)
        counters.forwarded.inc({
          service: route.service.name,
          upstream: passage.upstream ?? 'none',
          outcome: error instanceof ClientGone ? 'gone' : 'fault',
        });
      throw error;
    }
    const outcome = `${String(Math.floor(response.statusCode / 100))}xx`;
    // A response without its socket hears of no end.
    if (response.closed || response.statusCode === 101) record(visit, route, passage, outcome, start);
    else response.once('close', () => record(visit, route, passage, outcome, start));
  };

  const visitOf = (
    request: IncomingMessage,
    response: ServerResponse,
    socket?: Socket,
    head: Buffer = Buffer.alloc(0),
  ): Visit => {
    const requestId = idOf(request.headers['x-request-id']);
    // Whoever answers: node tells when nothing at all has moved for so long, and what is being waited for then may be the service.
    response.setTimeout(config.slowReaderTimeoutMs, () => {
      if (request.socket.writableLength > 0) request.socket.destroy();
    });
    // So that the gateway's own answers have the same one.
    request.headers['x-request-id'] = requestId;
    const connection = request.socket.remoteAddress ?? '';
    const address = clientAddress(connection, joined(request.headers['x-forwarded-for']), config.trustedProxyHops);
    const trace = traceHeaders(joined(request.headers['traceparent']), joined(request.headers['tracestate']));
    const span = PROBES.has(request.url ?? '') ? undefined : beginRequest(request.method ?? '', request.headers);
    return {
      ...{ request, response, requestId, span, trace, address, socket, head },
      ...{ pattern: 'unmatched', limitHeaders: {} },
    };
  };

  const serve = async (visit: Visit): Promise<void> => {
    const { request, response } = visit;
    const start = performance.now();
    try {
      checkHeaders(request.rawHeaders, request.httpVersion === '1.0');
      const target = readTarget(request.url ?? '');
      // Whoever watches over the process is never refused.
      if (!PROBES.has(target.path)) admit(visit, await limit.admit(visit.address));
      if (own.has(target.path)) {
        visit.pattern = target.path;
        for (const [name, value] of Object.entries(visit.limitHeaders)) response.setHeader(name, value);
        request.url = target.path + target.query;
        await own.handle(request, response);
        return;
      }
      const route = routes().find(request.method ?? '', target.path);
      visit.pattern = route.path;
      await pass(visit, target, route, start);
    } catch (error) {
      if (error instanceof ClientGone || response.destroyed) {
        response.destroy();
        return;
      }
      // Whoever sends what can be read in two ways gets no chance to send more.
      if (error instanceof AppError && ENDS_CONNECTION.has(error.code)) response.setHeader('Connection', 'close');
      await own.refuse(request, response, error, visit.pattern);
    }
  };

  /** Serves within the span of the request, which lasts until its answer has left. */
  const answer = (visit: Visit): Promise<void> => {
    const { response, span } = visit;
    if (span === undefined) return serve(visit);
    response.once('close', () => endVisit(visit, response.statusCode));
    return span.run(() => serve(visit));
  };

  return {
    handle: (request: IncomingMessage, response: ServerResponse): Promise<void> => answer(visitOf(request, response)),

    /** A request with `Upgrade`: a WebSocket where the route allows it, else a request like any other (RFC 9110, 7.8). */
    upgrade: (request: IncomingMessage, socket: Socket, head: Buffer): void => {
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      response.once('finish', () => socket.end());
      socket.on('error', () => response.destroy());
      const visit = visitOf(request, response, socket, head);
      // Its body was not parsed, and may hold anything.
      const hasBody =
        request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
      const answered = hasBody
        ? own.refuse(
            request,
            response,
            new AppError('malformed_request', { detail: 'An upgrade has no body' }),
            'unmatched',
          )
        : answer(visit);
      answered.catch((error: unknown) => response.destroy(error as Error));
    },

    /** Ends event streams, whose clients connect again and go on where they were; everything else is left to finish. */
    drain: (): void => {
      isDraining = true;
      for (const response of eventStreams) response.end();
    },
  };
};
