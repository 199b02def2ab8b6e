import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Dispatcher } from 'undici';

import { AppError } from '../contracts/errors';

import { collectBody, hasBody, streamBody } from './body';
import { ClientGone, StillHeld, toAnswer, unavailable, UpstreamFault } from './fault';
import { headerOf } from './headers';
import { relay } from './relay';
import type { Service } from './service';
import type { Route } from './table';
import { beginAttempt, withParent } from './trace';
import type { Upstream } from './upstream';

/** One request on its way through the gateway. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  /** Path and query for the upstream. */
  readonly path: string;
  readonly headers: string[];
  /** By which the upstream is chosen where the service is sticky. */
  readonly stickyKey: string | undefined;
  /** For the answer, unless the upstream says the same. */
  readonly answerHeaders: Readonly<Record<string, string>>;
  /** Where the client asks for a WebSocket that the route allows. */
  readonly onUpgrade: ((headers: string[], upstream: Duplex) => void) | undefined;
  readonly onEventStream: () => void;
}

/** What became of it, for logs and metrics. */
export interface Passage {
  upstream: string | undefined;
  attempts: number;
}

/** RFC 9110, 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** A body of these means nothing (RFC 9110, 9.3.1), and is a way to smuggle. */
const BODILESS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Before the first repetition, milliseconds; doubled for each further one, and anything from half to all of it. */
const BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1_000;
/** What may not be repeated waits only so long: for the next probe to find what has come back, milliseconds. */
const SHORT_WAIT_MS = 500;
/** Below this an answer is no longer waited for that may come later, milliseconds. */
const LAST_WAIT_MS = 2_000;

type Body = Buffer | Readable | null;

/** Whether the same request, sent twice, does what it does once. */
const mayRepeat = ({ route, headers, onUpgrade }: Exchange, method: string, body: Body): boolean => {
  if (onUpgrade !== undefined || (body !== null && !Buffer.isBuffer(body))) return false;
  // As the upstream will see it: a key that `Connection` names is not passed on.
  return IDEMPOTENT.has(method) || (route.idempotencyKeys && headerOf(headers, 'idempotency-key') !== undefined);
};

const readBody = async ({ request, response, route }: Exchange, timeoutMs: number): Promise<Body> => {
  if (!hasBody(request) || BODILESS.has(request.method ?? '')) return null;
  if (route.streamBody) return streamBody(request, response, route.maxBodyBytes);
  return collectBody(request, response, route.maxBodyBytes, timeoutMs);
};

const lengthHeader = (request: IncomingMessage, body: Body): string[] => {
  if (Buffer.isBuffer(body)) return ['Content-Length', String(body.length)];
  const declared = request.headers['content-length'];
  return body !== null && declared !== undefined ? ['Content-Length', declared] : [];
};

type Dispatch = Dispatcher.DispatchOptions & { readonly headers: string[] };

const toDispatch = ({ request, path, headers, onUpgrade }: Exchange, body: Body): Dispatch => ({
  method: request.method ?? 'GET',
  path,
  headers: [...headers, ...lengthHeader(request, body)],
  body,
  ...(onUpgrade !== undefined && { upgrade: 'websocket' }),
});

const pause = (repetition: number): Promise<void> => {
  const longest = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** repetition);
  return sleep(longest * (0.5 + Math.random() / 2));
};

const isFailure = (status: number): boolean => status >= 500 && status !== 501;

interface AttemptOptions {
  readonly timeoutMs: number;
  readonly isRepetition: boolean;
  /** How many attempts there were before. */
  readonly before: number;
}

/** One attempt. It is over for the caller with the head of the answer, for the upstream with the end of it. */
const attempt = (
  exchange: Exchange,
  upstream: Upstream,
  dispatch: Dispatch,
  { timeoutMs, isRepetition, before }: AttemptOptions,
): Promise<void> => {
  const { response, route, answerHeaders, onUpgrade, onEventStream } = exchange;
  const end = upstream.begin();
  const span = beginAttempt(dispatch.method, upstream.server, before);
  let isRunning = true;
  const ended = (): void => {
    if (isRunning) {
      end();
      span.end();
    }
    isRunning = false;
  };
  return upstream
    .attempt((dispatcher) =>
      relay(
        dispatcher,
        { ...dispatch, headers: withParent(dispatch.headers, span.headers()) },
        {
          ...{ response, timeoutMs, isRepetition },
          idleTimeoutMs: route.idleTimeout,
          headers: answerHeaders,
          onHead: (status, isEventStream) => {
            span.set({ 'http.response.status_code': status });
            route.service.note(upstream, isFailure(status));
            if (isEventStream) {
              // It may last for hours, and is no work.
              ended();
              onEventStream();
            } else response.once('close', ended);
          },
          onUpgrade: (headers, socket) => {
            ended();
            if (onUpgrade === undefined) socket.destroy();
            else onUpgrade(headers, socket);
          },
        },
      ),
    )
    .catch((error: unknown) => {
      span.fail(error, error instanceof UpstreamFault ? error.kind : undefined);
      ended();
      if (error instanceof UpstreamFault) route.service.note(upstream, true);
      throw error;
    });
};

interface Journey {
  readonly exchange: Exchange;
  readonly passage: Passage;
  readonly isRepeatable: boolean;
  readonly dispatch: Dispatch;
  readonly deadline: number;
}

/** Waits for an upstream that can be used, while the client does. @throws {AppError} when there is none in time */
const wait = async (journey: Journey, last: UpstreamFault | undefined): Promise<void> => {
  const { exchange, passage, isRepeatable, deadline } = journey;
  const { response, route } = exchange;
  const { service } = route;
  if (service.isFull()) throw new AppError('overloaded', { retryAfterSeconds: 1 });
  const left = deadline - performance.now();
  const isUsable = await service.whenUsable(isRepeatable ? left : Math.min(left, SHORT_WAIT_MS), response);
  if (!isUsable && !response.destroyed)
    throw isRepeatable || last === undefined ? unavailable() : toAnswer(last, passage.upstream);
};

/** Whether a request goes on after a fault. What no upstream has seen always may; the rest only what can be repeated, sparingly. */
const goesOn = ({ exchange, isRepeatable, deadline }: Journey, fault: UpstreamFault, repetitions: number): boolean => {
  const { route, response } = exchange;
  // After a timeout no time is left.
  if (response.headersSent || fault.kind === 'timeout' || performance.now() >= deadline) return false;
  if (!fault.isSent) return true;
  return isRepeatable && repetitions < route.retries && route.service.budget.spend();
};

const travel = async (journey: Journey): Promise<void> => {
  const { exchange, passage, dispatch, deadline } = journey;
  const { response, route } = exchange;
  const tried = new Set<Upstream>();
  let repetitions = 0;
  let last: UpstreamFault | undefined;
  for (;;) {
    // Of one that closed earlier nothing more would be heard, and the attempt would never count as over.
    if (response.destroyed) throw new ClientGone();
    const upstream = route.service.pick(exchange.stickyKey, tried);
    if (upstream === undefined) {
      await wait(journey, last);
      continue;
    }
    passage.upstream = upstream.url;
    const before = passage.attempts++;
    const timeoutMs = Math.max(1, deadline - performance.now());
    // With little time left the client is told what there is to tell.
    const isRepetition = repetitions > 0 && timeoutMs > LAST_WAIT_MS;
    try {
      await attempt(exchange, upstream, dispatch, { timeoutMs, isRepetition, before });
      return;
    } catch (error) {
      if (error instanceof StillHeld) {
        await sleep(Math.min(error.retryAfterMs, timeoutMs - LAST_WAIT_MS / 2));
        continue;
      }
      if (!(error instanceof UpstreamFault)) throw error;
      last = error;
      if (!goesOn(journey, error, repetitions)) throw toAnswer(error, passage.upstream);
    }
    tried.add(upstream);
    if (last.isSent) {
      await pause(repetitions);
      repetitions += 1;
    }
  }
};

/**
 * Sends a request to an upstream of its route, again where that is safe, and relays the answer.
 *
 * @throws {AppError} `bad_gateway`, `gateway_timeout`, `service_unavailable`, `overloaded`, and what is wrong with the body; {ClientGone}
 */
export const forward = async (exchange: Exchange, passage: Passage): Promise<void> => {
  const { request, route } = exchange;
  const body = await readBody(exchange, route.timeout);
  const service: Service = route.service;
  service.budget.earn();
  await travel({
    exchange,
    passage,
    isRepeatable: mayRepeat(exchange, request.method ?? '', body),
    dispatch: toDispatch(exchange, body),
    deadline: performance.now() + route.timeout,
  });
};
