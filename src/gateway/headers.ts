import { AppError } from '../contracts/errors';

import { isAuthority } from './target';

/** Names and values in turn, as node gives them in `rawHeaders` and undici takes them. */
export type RawHeaders = readonly string[];

/** Of one connection only (RFC 9110, 7.6.1), and what proxies ask and are asked. */
const HOP_BY_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
]);

/** What only the gateway may say: who the caller is, where a request comes from, what was asked for in the first place. */
const RESERVED = new Set([
  ...['forwarded', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'cf-connecting-ip', 'x-cluster-client-ip'],
  ...['x-session-id', 'x-rewrite-url', 'x-http-method', 'x-http-method-override', 'x-method-override'],
]);
const RESERVED_PREFIXES = ['x-forwarded', 'x-user-', 'x-internal-', 'x-gateway-', 'x-original-'];
const isReserved = (name: string): boolean =>
  RESERVED.has(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix));

/** The gateway writes these anew. */
const REWRITTEN = new Set(['host', 'content-length', 'expect', 'x-request-id', 'traceparent', 'tracestate']);

/** Of these a second one would let two readers disagree. */
const SINGLE = new Set(['host', 'authorization', 'content-type', 'content-length', 'idempotency-key', 'expect']);
const MAX_HEADERS = 100;

/** Some servers take `_` for `-`. */
const comparable = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** Header names that the `Connection` header makes hop-by-hop. */
const namedByConnection = (headers: RawHeaders): ReadonlySet<string> => {
  const named = new Set<string>();
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== 'connection') continue;
    for (const token of headers[i + 1]?.split(',') ?? []) named.add(token.trim().toLowerCase());
  }
  return named;
};

/** @param isHostOptional in HTTP/1.0. @throws {AppError} `malformed_request`, `headers_too_large` */
export const checkHeaders = (headers: RawHeaders, isHostOptional = false): void => {
  if (headers.length > MAX_HEADERS * 2) throw new AppError('headers_too_large');
  const seen = new Set<string>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase() ?? '';
    if (!SINGLE.has(name)) continue;
    if (seen.has(name)) throw new AppError('malformed_request', { detail: `The header ${name} is there twice` });
    if (name === 'host' && !isAuthority(headers[i + 1] ?? ''))
      throw new AppError('malformed_request', { detail: 'The Host header names no host' });
    seen.add(name);
  }
  if (!isHostOptional && !seen.has('host'))
    throw new AppError('malformed_request', { detail: 'There is no Host header' });
};

/** The headers of a request that an upstream is given as they are: nothing hop-by-hop, nothing that is the gateway's to say. */
export const requestHeaders = (headers: RawHeaders): string[] => {
  const named = namedByConnection(headers);
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]];
    const key = comparable(name);
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || REWRITTEN.has(key) || isReserved(key) || named.has(lower)) continue;
    kept.push(name, value);
  }
  return kept;
};

/** Says the same as the gateway about itself, or tells what is behind it. */
const ANSWER_DROPPED = new Set([...HOP_BY_HOP, 'x-request-id', 'x-powered-by', 'server', 'via']);

/** The headers of an answer that the client is given. @param headers as undici has them */
export const answerHeaders = (headers: readonly (Buffer | string)[]): string[] => {
  const texts = headers.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  const named = namedByConnection(texts);
  const kept: string[] = [];
  for (let i = 0; i < texts.length; i += 2) {
    const [name = '', value = ''] = [texts[i], texts[i + 1]];
    const key = name.toLowerCase();
    if (ANSWER_DROPPED.has(key) || named.has(key)) continue;
    kept.push(name, value);
  }
  return kept;
};

/** The value of a header; the first one where there are several. */
export const headerOf = (headers: RawHeaders, wanted: string): string | undefined => {
  for (let i = 0; i < headers.length; i += 2) if (headers[i]?.toLowerCase() === wanted) return headers[i + 1];
  return undefined;
};
