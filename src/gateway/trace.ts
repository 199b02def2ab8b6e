import { randomBytes } from 'node:crypto';

import { traceIdOf } from '../contracts/trace-context';
import { beginAsking, type Span } from '../observability/span';

/** At least this many characters of `tracestate` must be passed on; more is dropped. */
const MAX_STATE = 512;

/**
 * `traceparent` and `tracestate` for the upstream: the caller's own where they are well-formed, else a new trace that nobody has
 * decided to record yet.
 */
export const traceHeaders = (traceparent: string | undefined, tracestate: string | undefined): string[] => {
  if (traceparent !== undefined && traceIdOf(traceparent) !== undefined) {
    const state = tracestate !== undefined && tracestate.length <= MAX_STATE ? ['tracestate', tracestate] : [];
    return ['traceparent', traceparent, ...state];
  }
  const ids = randomBytes(24).toString('hex');
  return ['traceparent', `00-${ids.slice(0, 32)}-${ids.slice(32)}-00`];
};

/** The same headers; where the attempt is a span, that is the parent that they name. */
export const withParent = (headers: string[], { traceparent }: Readonly<Record<string, string>>): string[] => {
  if (traceparent === undefined) return headers;
  const at = headers.findIndex((name, index) => index % 2 === 0 && name === 'traceparent');
  return headers.with(at + 1, traceparent);
};

interface UpstreamServer {
  readonly address: string;
  readonly port: number;
}

/** The span of one attempt. @param attempts made before it */
export const beginAttempt = (method: string, server: UpstreamServer, attempts: number): Span =>
  beginAsking(method, {
    'http.request.method': method,
    'server.address': server.address,
    'server.port': server.port,
    ...(attempts > 0 && { 'http.request.resend_count': attempts }),
  });
