import type { IncomingMessage, ServerResponse } from 'node:http';

import { type Acr, type AcrOptions, assertAcr, assertRole, type Auth } from './auth';
import type { Edge } from './edge';
import { EdgeError, toProblemAnswer } from './problem';

declare global {
  // Express declares its request in this namespace for others to add to.
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** Who makes the request; there after `authenticate` of @meqenet/auth-edge/express. */
      auth?: Auth;
    }
  }
}

/** What is needed of Express's request, so that any version fits (4 and 5). */
export type ExpressRequest = IncomingMessage & { readonly originalUrl: string; auth?: Auth };
export type ExpressMiddleware = (
  request: ExpressRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

const first = (value: string | string[] | number | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value?.toString();

const refuse = (request: ExpressRequest, response: ServerResponse, error: EdgeError): void => {
  const known = first(response.getHeader('X-Request-Id')) ?? first(request.headers['x-request-id']);
  const [path = '/'] = request.originalUrl.split('?');
  const { status, headers, body } = toProblemAnswer(error, path, known);
  const text = JSON.stringify(body);
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
};

/** Who makes the request. @throws where `authenticate` did not run before */
export const authOf = ({ auth }: { readonly auth?: Auth }): Auth => {
  if (auth) return auth;
  throw new Error('Mount authenticate() of @meqenet/auth-edge/express before this route');
};

const guard =
  (check: (request: ExpressRequest) => void | Promise<void>): ExpressMiddleware =>
  (request, response, next) => {
    const run = async (): Promise<void> => check(request);
    run().then(
      () => next(),
      (error: unknown) => {
        if (error instanceof EdgeError) refuse(request, response, error);
        else next(error);
      },
    );
  };

/** Puts the caller on `request.auth`, or answers with a problem (RFC 9457). */
export const authenticate = (edge: Edge): ExpressMiddleware =>
  guard(async (request) => {
    request.auth = await edge.authenticate(request.headers.authorization);
  });

/** Goes on for callers with one of these roles; 403 `forbidden` for others. */
export const requireRole = (...roles: readonly string[]): ExpressMiddleware =>
  guard((request) => assertRole(authOf(request), roles));

/** Goes on for callers who have shown at least this (lately, where `maxAgeMs` is given); 403 `step_up_required` for others. */
export const requireAcr = (acr: Acr, options?: AcrOptions): ExpressMiddleware =>
  guard((request) => assertAcr(authOf(request), acr, options));
