import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';

import rawBody from 'raw-body';

import { AppError } from '../contracts/errors';

import { ClientGone } from './fault';

const declaredLength = ({ headers }: IncomingMessage): number | undefined =>
  headers['content-length'] === undefined ? undefined : Number(headers['content-length']);

export const hasBody = (request: IncomingMessage): boolean =>
  request.headers['transfer-encoding'] !== undefined || (declaredLength(request) ?? 0) > 0;

const begin = (request: IncomingMessage, response: ServerResponse, maxBytes: number): void => {
  if ((declaredLength(request) ?? 0) > maxBytes) throw new AppError('payload_too_large');
  if (request.headers.expect !== undefined) response.writeContinue();
};

/** raw-body marks its errors with a `type`. */
const toError = (error: unknown): Error => {
  const { type } = error as { type?: string };
  if (type === 'entity.too.large') return new AppError('payload_too_large');
  return type === 'request.aborted' ? new ClientGone() : new AppError('malformed_request', { cause: error });
};

/**
 * The whole body: an upstream is not kept waiting for a slow client, and can be sent it again.
 *
 * @throws {AppError} `payload_too_large`, `request_timeout`, `malformed_request`; {ClientGone}
 */
export const collectBody = async (
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  timeoutMs: number,
): Promise<Buffer> => {
  begin(request, response, maxBytes);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new AppError('request_timeout'));
    }, timeoutMs);
  });
  try {
    const reading = rawBody(request, { limit: maxBytes, length: declaredLength(request) ?? null });
    return await Promise.race([reading, late]);
  } catch (error) {
    throw error instanceof AppError ? error : toError(error);
  } finally {
    clearTimeout(timer);
  }
};

/** The body as it arrives. It fails with `payload_too_large` at the limit. */
export const streamBody = (request: IncomingMessage, response: ServerResponse, maxBytes: number): Transform => {
  begin(request, response, maxBytes);
  let bytes = 0;
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes > maxBytes) done(new AppError('payload_too_large'));
      else done(null, chunk);
    },
  });
  // Between two attempts, and before the first one, nobody else listens.
  counted.on('error', () => undefined);
  request.once('close', () => {
    if (!request.complete) counted.destroy(new ClientGone());
  });
  return request.pipe(counted);
};
