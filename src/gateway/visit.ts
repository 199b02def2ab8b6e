import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { AppError } from '../contracts/errors';
import type { Admission } from '../limits/admission';
import { endRequest, type Span } from '../observability/span';

/** A request as far as it is known. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Its span, unless it is a probe. */
  readonly span: Span | undefined;
  /** `traceparent` and `tracestate` for the upstream, names and values in turn. */
  readonly trace: readonly string[];
  readonly address: string;
  readonly socket: Socket | undefined;
  readonly head: Buffer;
  /** Pattern of its route, as far as it is known. */
  pattern: string;
  /** What the answer tells of the narrowest limit that was counted. */
  limitHeaders: Readonly<Record<string, string>>;
}

/** @throws {AppError} `rate_limited`, `overloaded` */
export const admit = (visit: Visit, { headers, refusal }: Admission): void => {
  if (refusal !== undefined)
    throw new AppError(refusal.code, { retryAfterSeconds: refusal.retryAfterSeconds ?? 1, headers });
  visit.limitHeaders = headers;
};

/** Ends the span of a request whose answer has left. */
export const endVisit = ({ span, request, pattern }: Visit, status: number): void => {
  if (span !== undefined) endRequest(span, request.method ?? '', pattern, status);
};
