import { randomUUID } from 'node:crypto';

/** The errors of this package: codes, statuses and titles are those of the HTTP API, so that clients branch on them alike. */
export const PROBLEMS = {
  invalid_token: { status: 401, title: 'The access token is missing, wrong, expired or revoked' },
  forbidden: { status: 403, title: 'The caller has no right to this' },
  step_up_required: { status: 403, title: 'A second factor must be shown first' },
  service_unavailable: { status: 503, title: 'The service cannot do this now; try again shortly' },
} as const;
export type EdgeErrorCode = keyof typeof PROBLEMS;

export interface EdgeErrorOptions {
  /** Value of `WWW-Authenticate` (RFC 6750, RFC 9470). */
  readonly challenge?: string;
  /** Seconds, sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** For logs; it never leaves in an answer. */
  readonly cause?: unknown;
}

/** Why a request is refused. `reason` and `cause` are for logs and metrics, and never hold the token. */
export class EdgeError extends Error {
  readonly challenge: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: EdgeErrorCode,
    /** In a few words, the same for every request that is refused for it. */
    readonly reason: string,
    options: EdgeErrorOptions = {},
  ) {
    super(`${PROBLEMS[code].title} (${reason})`, { cause: options.cause });
    this.name = 'EdgeError';
    this.challenge = options.challenge;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

/** RFC 6750, section 3.1: who sent no token at all is told of no error, only of what is expected. */
export const missingToken = (): EdgeError => new EdgeError('invalid_token', 'no token', { challenge: 'Bearer' });

/** The client learns that the token is not good, not what is wrong with it. */
export const invalidToken = (reason: string, cause?: unknown): EdgeError =>
  new EdgeError('invalid_token', reason, { challenge: 'Bearer error="invalid_token"', cause });

/** It is not known whether the token is good; the same request may succeed a moment later. */
export const unavailable = (reason: string, cause?: unknown): EdgeError =>
  new EdgeError('service_unavailable', reason, { retryAfterSeconds: 1, cause });

/** RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: EdgeErrorCode;
  readonly requestId: string;
}

/** What is sent to the client, whatever the framework. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

/** A request id of the caller is kept only where it cannot be used to write into logs. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/**
 * @param path of the request, without the query: it may carry secrets
 * @param requestId the one that is known already, where there is one; else there will be a new one
 */
export const toProblemAnswer = (error: EdgeError, path: string, requestId: string | undefined): ProblemAnswer => {
  const { title, status } = PROBLEMS[error.code];
  const id = requestId !== undefined && REQUEST_ID.test(requestId) ? requestId : randomUUID();
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'X-Request-Id': id,
      ...(error.challenge !== undefined && { 'WWW-Authenticate': error.challenge }),
      ...(error.retryAfterSeconds !== undefined && { 'Retry-After': String(Math.ceil(error.retryAfterSeconds)) }),
    },
    body: {
      type: `urn:meqenet:problem:${error.code}`,
      title,
      status,
      detail: title,
      instance: path,
      code: error.code,
      requestId: id,
    },
  };
};
