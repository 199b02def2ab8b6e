import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';

import rawBody from 'raw-body';

import { AppError } from '../../contracts/errors';

const JSON_TYPES = new Set(['application/json', 'application/json;charset=utf-8', 'application/json;charset="utf-8"']);
/** Deeper than any body that a route declares; keeps recursive code away from hostile nesting. */
const MAX_DEPTH = 32;

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

const assertMediaType = ({ headers }: IncomingMessage): void => {
  const type = headers['content-type'] ?? '';
  if (!JSON_TYPES.has(type) && !JSON_TYPES.has(type.toLowerCase().replaceAll(/[ \t]/g, ''))) {
    throw new AppError('unsupported_media_type', { detail: 'Send the body as application/json' });
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new AppError('unsupported_media_type', { detail: 'Send the body without Content-Encoding' });
  }
};

/** raw-body marks its errors with a `type`. */
const toAppError = (error: unknown): AppError =>
  (error as { type?: string }).type === 'entity.too.large'
    ? new AppError('payload_too_large')
    : new AppError('malformed_json', { detail: 'The body did not arrive in full' });

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

/**
 * Refuses what no schema should have to think about: nesting beyond `MAX_DEPTH`, and `__proto__` as a key, which
 * JSON.parse makes an own property that a later copy would turn into a prototype.
 */
const assertTame = (value: unknown): void => {
  let level = [value].filter(isContainer);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) throw new AppError('malformed_json', { detail: 'The body is nested too deeply' });
    if (level.some((node) => Object.hasOwn(node, '__proto__'))) {
      throw new AppError('malformed_json', { detail: 'The body has a key that is not allowed' });
    }
    level = level.flatMap((node) => Object.values(node).filter(isContainer));
  }
};

const parse = (bytes: Buffer): unknown => {
  if (!isUtf8(bytes)) throw new AppError('malformed_json', { detail: 'The body is not UTF-8' });
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new AppError('malformed_json');
  }
  assertTame(value);
  return value;
};

/**
 * Reads a JSON body; `undefined` where there is none. Of keys that occur twice the last one counts.
 *
 * @param maxBytes larger bodies are refused, as soon as their declared or received length shows it
 * @throws {AppError} `unsupported_media_type`, `payload_too_large` or `malformed_json`
 */
export const readJson = async (
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): Promise<unknown> => {
  if (!hasBody(request)) return undefined;
  assertMediaType(request);
  const declared = request.headers['content-length'];
  if (declared !== undefined && Number(declared) > maxBytes) throw new AppError('payload_too_large');
  if (request.headers.expect !== undefined) response.writeContinue();
  const bytes = await rawBody(request, { limit: maxBytes, length: declared ?? null }).catch((error: unknown) => {
    throw toAppError(error);
  });
  return parse(bytes);
};
