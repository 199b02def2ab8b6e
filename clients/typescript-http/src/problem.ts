import type { components } from './schema';

/** An RFC 9457 problem, as every error of the service is told. */
export type Problem = components['schemas']['Problem'];
/** What a program branches on; never changes. */
export type ProblemCode = Problem['code'];
/** One field that is wrong: `path` is a JSON pointer into the body, or the name of a parameter. */
export type FieldError = components['schemas']['FieldError'];

/** An answer that tells of an error. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  /** Of the problem; undefined where something else than the service answered, such as a proxy. */
  readonly code: ProblemCode | undefined;
  readonly status: number;
  readonly errors: readonly FieldError[];
  /** For support. */
  readonly requestId: string | undefined;
  /** Seconds, where the service asks to wait. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    response: Response,
    readonly problem: Problem | undefined,
  ) {
    super(problem?.detail ?? `HTTP ${String(response.status)}`);
    this.code = problem?.code;
    this.status = response.status;
    this.errors = problem?.errors ?? [];
    this.requestId = problem?.requestId ?? response.headers.get('X-Request-Id') ?? undefined;
    this.retryAfterSeconds = retryAfterOf(response);
  }
}

/** Seconds of `Retry-After`, which this service never gives as a date. */
export const retryAfterOf = (response: Response): number | undefined => {
  const text = response.headers.get('Retry-After');
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
};

export const isProblem = (body: unknown): body is Problem =>
  typeof body === 'object' && body !== null && 'code' in body && 'status' in body;
