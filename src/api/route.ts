import type { Readable } from 'node:stream';

import type { z } from 'zod';

import type { Assurance } from '../contracts/assurance';
import type { Caller } from '../contracts/caller';
import type { ErrorCode } from '../contracts/errors';
import type { LimitClass } from '../contracts/limits';
import type { Permission } from '../contracts/permissions';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
export type Auth = 'none' | 'bearer';

/** One success answer that a route declares. Without a schema the answer has no body (204). */
export interface ResponseSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Headers of the answer besides those of every answer: name to description. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Media type of the body; `application/json` by default. It is JSON in any case. */
  readonly contentType?: string;
  /** The body is not JSON but text that comes as it becomes known; the schema only documents it. */
  readonly stream?: true;
}
export type ResponseSpecs = Readonly<Record<number, ResponseSpec>>;

/** The request headers that a handler may see. */
export interface RequestHeaders {
  readonly userAgent: string | undefined;
  readonly acceptLanguage: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** `X-Device-Id`: chosen by the client, the same for all logins from one device. */
  readonly deviceId: string | undefined;
  /** `X-Device-Token`: of a device that the account remembers. A secret. */
  readonly deviceToken: string | undefined;
  /** `X-Namespace`: the namespace that the Temporal UI shows. */
  readonly namespace?: string | undefined;
  /** `Last-Event-ID` (HTML, server-sent events): the last event that the client has seen. */
  readonly lastEventId?: string | undefined;
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

export interface RouteRequest<P = unknown, Q = unknown, B = unknown, C = Caller | undefined> {
  /** Path parameters, parsed by `params`. */
  readonly params: P;
  /** Query parameters, parsed by `query`. */
  readonly query: Q;
  /** The JSON body, parsed by `body`. */
  readonly body: B;
  /** Who sends the request; always there where `auth` is `bearer`. */
  readonly caller: C;
  readonly requestId: string;
  readonly headers: RequestHeaders;
  /**
   * The same text whenever one request is repeated under one `Idempotency-Key`, and for no other; nobody can guess it and it
   * tells nothing. Ids of what the handler begins are made of it, so that a repetition after a crash joins what was begun.
   * Absent without a key.
   */
  readonly repetitionId?: string | undefined;
  /** Address of the client. */
  readonly ip: string;
  /** The service that calls for the client, where one does. */
  readonly callingService?: string | undefined;
}

/** An answer as the dispatcher sees it. */
export interface RouteAnswer {
  readonly status: number;
  readonly body?: unknown;
  /** Instead of a body; destroyed when the client leaves. */
  readonly stream?: Readable;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answers that fit the declared `responses`: status and body belong together. */
export type AnswerOf<R extends ResponseSpecs> = {
  [S in keyof R & number]: {
    readonly status: S;
    readonly headers?: Readonly<Record<string, string>>;
  } & (R[S] extends { readonly stream: true }
    ? { readonly stream: Readable }
    : R[S] extends { readonly schema: infer Z extends z.ZodType }
      ? { readonly body: z.input<Z> }
      : { readonly body?: never });
}[keyof R & number];

/** Whether requests change something, so that they may be repeated under an `Idempotency-Key`. */
export const isWrite = ({ method }: { readonly method: Method }): boolean => method !== 'get';

/** What the validator, the response filter and the OpenAPI document are made from. */
interface RouteDeclaration {
  readonly method: Method;
  /** Path with `:name` parameters, such as `/v1/auth/register/:registrationId`. */
  readonly path: `/${string}`;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** What it is grouped by in the document; described in `openapi-texts.ts`. */
  readonly tags: readonly string[];
  readonly auth: Auth;
  /** What the caller's roles must allow; without it every caller may. Checked before the request is looked at. */
  readonly permission?: Permission;
  /** How lately the caller must have shown a second factor: `step_up_required` else. Checked before the request is looked at. */
  readonly assurance?: Assurance;
  /**
   * Also for callers who must set a second factor up first: `mfa_enrollment_required` on every other route. Checked before the
   * request is looked at.
   */
  readonly duringEnrollment?: true;
  /** Has to wait after a change of the phone (SIM swap): `cooling_off` until then. Checked before the request is looked at. */
  readonly highRisk?: true;
  /** What it is limited as. Without it: `read` for GET, `session` for a caller's writes, `credentials` for anyone's. */
  readonly limit?: LimitClass | 'none';
  /** Larger bodies than those of other routes, bytes. */
  readonly maxBodyBytes?: number;
  /** Problem answers of this route besides those that every route can give. */
  readonly errors: readonly ErrorCode[];
}

/** A declared route with its types erased, as the dispatcher and the document take it. */
export interface Route extends RouteDeclaration {
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Request headers that the document names besides those of every route; whoever uses one checks it. */
  readonly headers?: z.ZodObject;
  readonly responses: ResponseSpecs;
  readonly handler: (request: RouteRequest) => Promise<RouteAnswer>;
}

interface TypedRoute<
  A extends Auth,
  P extends z.ZodObject | undefined,
  Q extends z.ZodObject | undefined,
  B extends z.ZodType | undefined,
  R extends ResponseSpecs,
  X extends AnswerOf<R>,
> extends RouteDeclaration {
  readonly auth: A;
  /** Only of a caller can be asked what they may do. */
  readonly permission?: A extends 'bearer' ? Permission : never;
  readonly assurance?: A extends 'bearer' ? Assurance : never;
  readonly duringEnrollment?: A extends 'bearer' ? true : never;
  readonly highRisk?: A extends 'bearer' ? true : never;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly headers?: z.ZodObject;
  readonly responses: R;
  readonly handler: (
    request: RouteRequest<Parsed<P>, Parsed<Q>, Parsed<B>, A extends 'bearer' ? Caller : undefined>,
  ) => Promise<X>;
}

/**
 * Declares a route: its validation, its answers and its place in the OpenAPI document at once.
 *
 * The request is parsed with `params`, `query` and `body` before the handler runs (`validation_failed` otherwise); the
 * answer is parsed with the schema of its status, so that only declared fields leave. The handler throws `AppError` for
 * every problem answer; list the codes in `errors`.
 */
export const defineRoute = <
  const A extends Auth,
  const R extends ResponseSpecs,
  const X extends AnswerOf<R>,
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  route: TypedRoute<A, P, Q, B, R, X>,
): Route => route as unknown as Route; // The dispatcher gives each handler what its schemas have parsed.

/**
 * Runs around the handler, after authentication and validation: limits, idempotency, tracing. It may answer itself,
 * throw an `AppError`, change the answer of `next`, or give `next` a changed request. It must pass the answer's headers on.
 */
export type Interceptor = (
  route: Route,
  request: RouteRequest,
  next: (changed?: RouteRequest) => Promise<RouteAnswer>,
) => Promise<RouteAnswer>;
