import { once } from 'node:events';

import type { handleServerStreamingCall, handleUnaryCall, Metadata, ServerWritableStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { Logger } from 'pino';

import { AppError } from '../contracts/errors';
import type { GrpcMetrics } from '../observability/grpc-metrics';
import { beginServing, type Carrier } from '../observability/span';

import { type AnyCall, type CallContext, metadataValue, readContext } from './call-context';
import type { AuthenticateService } from './callers';
import { MALFORMED_MESSAGE } from './decoding';
import { SERVICE } from './service-name';
import { type ErrorAnswer, type Texts, toServiceError } from './status';

export interface DoorDependencies {
  readonly authenticateService: AuthenticateService;
  /** Answers for errors of libraries; what it does not know leaves as `internal_error`. */
  readonly translateError: (error: unknown) => AppError | undefined;
  /** What an error says to people, in the language of theirs that they like best (Accept-Language of RFC 9110). */
  readonly localize: (error: AppError, acceptLanguage: string | undefined) => Texts;
  /** The id of a call: the caller's own where it is sane, else a new one. */
  readonly requestIdOf: (given: string | undefined) => string;
  readonly metrics: GrpcMetrics;
  readonly logger: Logger;
}

/** What comes before and after every call: who calls, what is logged and counted, and how errors leave. */
export interface Door {
  unary<Request, Response>(
    method: string,
    handle: (request: Request, context: CallContext) => Promise<{ message: Response; metadata?: Metadata }>,
  ): handleUnaryCall<Request, Response>;
  stream<Request, Response>(
    method: string,
    /** Writes until `signal` aborts. */
    handle: (request: Request, write: (message: Response) => Promise<void>, signal: AbortSignal) => Promise<void>,
  ): handleServerStreamingCall<Request, Response>;
  /** Ends the streams, so that clients go to another process. */
  endStreams(): void;
  /** Calls that have begun and not ended. */
  running(): number;
}

const ANONYMOUS = 'unknown';

const carrierOf = (metadata: Metadata): Carrier => ({ traceparent: metadataValue(metadata, 'traceparent') });

/** What the client of a call is told that it does not wait for any more; undefined while it does. */
const goneStatus = (call: AnyCall): status | undefined => {
  if (!call.cancelled) return undefined;
  return Number(call.getDeadline()) <= Date.now() ? status.DEADLINE_EXCEEDED : status.CANCELLED;
};

/** The server accepts no certificate that is not of its client authorities; without those nobody is asked for one. */
const certificateNameOf = (call: AnyCall): string | undefined => {
  const certificate = call.getAuthContext().sslPeerCertificate as { subject?: { CN?: unknown } } | undefined;
  const name = certificate?.subject?.CN;
  return typeof name === 'string' && name !== '' ? name : undefined;
};

/** Waits while the client reads more slowly than there is to write. */
const writeTo =
  <Response>(call: ServerWritableStream<unknown, Response>, signal: AbortSignal) =>
  async (message: Response): Promise<void> => {
    if (call.write(message) || signal.aborted) return;
    await once(call, 'drain', { signal }).catch(() => undefined);
  };

export const createDoor = (dependencies: DoorDependencies): Door => {
  const { authenticateService, translateError, localize, requestIdOf, metrics, logger } = dependencies;
  const streams = new Set<AbortController>();
  let running = 0;

  const toAppError = (error: unknown): AppError =>
    error instanceof AppError ? error : (translateError(error) ?? new AppError('internal_error', { cause: error }));

  /** One call from its beginning to its end. */
  const begin = (method: string, call: AnyCall) => {
    const start = performance.now();
    const span = beginServing(`${SERVICE}/${method}`, carrierOf(call.metadata), {
      ...{ 'rpc.system': 'grpc', 'rpc.service': SERVICE, 'rpc.method': method },
    });
    let context: CallContext | undefined;
    let ownId: string | undefined;
    const requestId = () => context?.requestId ?? (ownId ??= requestIdOf(undefined));
    running += 1;

    const finish = (answered: status): void => {
      running -= 1;
      const code = goneStatus(call) ?? answered;
      const seconds = (performance.now() - start) / 1_000;
      metrics.duration.observe({ method, code: status[code] }, seconds);
      metrics.calls.inc({ method, caller: context?.caller ?? ANONYMOUS });
      const { caller } = context ?? {};
      const traceId = span.traceId ?? context?.traceId;
      // Not `code`, which the logger takes for one that somebody enters.
      const line = { requestId: requestId(), method, status: status[code], caller, traceId };
      logger.info({ ...line, durationMs: Math.round(seconds * 100_000) / 100 }, 'call');
      span.set({ 'rpc.grpc.status_code': code });
      span.end();
    };
    return {
      run: span.run,
      /** @throws {AppError} `invalid_service_token` */
      enter: (): CallContext => {
        const caller = authenticateService({ metadata: call.metadata, certificateName: () => certificateNameOf(call) });
        context = readContext(call, caller, requestIdOf);
        if (call.request === MALFORMED_MESSAGE) throw new AppError('malformed_message');
        return context;
      },
      succeed: (): Metadata | undefined => {
        finish(status.OK);
        return context?.trailers;
      },
      fail: (thrown: unknown): ErrorAnswer => {
        const error = toAppError(thrown);
        const texts = localize(error, metadataValue(call.metadata, 'accept-language'));
        const answer = toServiceError(error, requestId(), texts);
        if (error.status >= 500) {
          span.fail(error.cause ?? error, error.code);
          logger.warn(
            { err: error.cause ?? error, problem: error.code, requestId: requestId(), method },
            'call failed',
          );
        }
        if (context !== undefined) answer.metadata.merge(context.trailers);
        finish(answer.code);
        return answer;
      },
    };
  };

  return {
    unary: (method, handle) => (call, callback) => {
      const course = begin(method, call);
      const answer = async () => handle(call.request, course.enter());
      course.run(answer).then(
        ({ message, metadata }) => {
          const trailers = course.succeed();
          if (metadata !== undefined) call.sendMetadata(metadata);
          callback(null, message, trailers);
        },
        (error: unknown) => {
          callback(course.fail(error));
        },
      );
    },

    stream: (method, handle) => (call) => {
      const course = begin(method, call);
      const controller = new AbortController();
      streams.add(controller);
      call.once('cancelled', () => {
        controller.abort();
      });
      const run = async (): Promise<void> => {
        course.enter();
        await handle(call.request, writeTo(call, controller.signal), controller.signal);
        // Clients begin anew, at a process that goes on.
        throw new AppError('service_unavailable', { retryAfterSeconds: 1 });
      };
      course
        .run(run)
        .catch((error: unknown) => {
          if (call.cancelled) course.succeed();
          else call.emit('error', course.fail(error));
        })
        .finally(() => {
          controller.abort();
          streams.delete(controller);
        });
    },

    endStreams: () => {
      for (const controller of streams) controller.abort();
    },

    running: () => running,
  };
};
