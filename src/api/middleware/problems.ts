import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

import type { Logger } from 'pino';

import { AppError } from '../../contracts/errors';
import { DEFAULT_LOCALE } from '../../contracts/locale';
import { activeSpan } from '../../observability/span';
import { acceptedLocale } from '../accepted-locale';
import type { AppContext, AppMiddleware } from '../context';
import { PROBLEM_TYPE, toProblem } from '../problem';

/** How much of a refused body is read and thrown away after the answer, so that the client gets to read the answer. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 16 * 1_048_576;

/**
 * The answer, then the rest of the request into the void: closing a socket with unread data resets the connection, and
 * a client that still sends would lose the answer. Clients that read it at once (its length is known) stop sending.
 */
async function* answerThenDrain(text: string, request: IncomingMessage): AsyncGenerator<string> {
  yield text;
  if (request.headers.expect !== undefined) return; // It waits for leave to send, which it does not get.
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  try {
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > LINGER_BYTES) break;
    }
  } catch {
    // The client has left; so much the better.
  } finally {
    clearTimeout(timer);
  }
}

/** Tells errors of libraries that have an answer of their own, such as a database that is away. */
export type TranslateError = (error: unknown) => AppError | undefined;

const toAppError = (error: unknown, translate: TranslateError): AppError =>
  error instanceof AppError ? error : (translate(error) ?? new AppError('internal_error', { cause: error }));

const log = (logger: Logger, ctx: AppContext, error: AppError): void => {
  if (error.status < 500) return;
  activeSpan()?.fail(error.cause ?? error, error.code);
  const line = {
    err: error.cause ?? error,
    problem: error.code,
    requestId: ctx.state.requestId,
    route: ctx.state.routePattern,
  };
  if (error.status === 500) logger.error(line, 'request failed');
  else logger.warn(line, 'request refused');
};

const send = (ctx: AppContext, error: AppError): void => {
  const { requestId } = ctx.state;
  const locale = acceptedLocale(ctx.headers['accept-language']) ?? DEFAULT_LOCALE;
  const text = JSON.stringify(toProblem(error, { instance: ctx.path, requestId, locale }));
  ctx.set('Content-Type', PROBLEM_TYPE);
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Content-Language', locale);
  ctx.vary('Accept-Language');
  if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(Math.ceil(error.retryAfterSeconds)));
  if (error.headers !== undefined) ctx.set({ ...error.headers });
  if (error.code === 'invalid_token') ctx.set('WWW-Authenticate', 'Bearer error="invalid_token"');
  ctx.status = error.status;
  if (error.code === 'payload_too_large') {
    ctx.set('Connection', 'close');
    ctx.body = Readable.from(answerThenDrain(text, ctx.req));
    ctx.length = Buffer.byteLength(text);
    ctx.set('Content-Type', PROBLEM_TYPE);
    return;
  }
  // The rest of the request is still to come, and nobody will wait for it.
  if (error.code === 'request_timeout') ctx.set('Connection', 'close');
  ctx.body = text;
};

/** The one place where errors become answers (RFC 9457). What is not an `AppError` is logged and leaves as `internal_error`. */
export const problems =
  (logger: Logger, translate: TranslateError): AppMiddleware =>
  async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      const error = toAppError(thrown, translate);
      log(logger, ctx, error);
      send(ctx, error);
    }
  };
