import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

import helmet from 'helmet';

import type { AppMiddleware } from '../context';

/** JSON is data: nothing in it may load, run or be framed. */
const API_CSP = {
  'default-src': ["'none'"],
  'frame-ancestors': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
};

/** Pages of our own: scripts, styles and calls only from this origin, nothing inline; `data:` for the icons of Swagger UI. */
export const PAGE_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join(';');

/** Helmet's headers never change, so it is asked once instead of thirteen times a request. */
const helmetHeaders = (): [string, string][] => {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives: API_CSP },
    crossOriginEmbedderPolicy: false,
    crossOriginResourcePolicy: { policy: 'same-site' },
    originAgentCluster: false,
    strictTransportSecurity: { maxAge: 63_072_000, includeSubDomains: true },
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xFrameOptions: { action: 'deny' },
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })(request, response, () => undefined);
  return Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]);
};

const OF_ANY_ANSWER = new Set([
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
  'referrer-policy',
]);

/** Those that hold for whatever a service answers: a policy of contents would be a guess about its pages. */
export const commonSecurityHeaders = (): Readonly<Record<string, string>> =>
  Object.fromEntries(helmetHeaders().filter(([name]) => OF_ANY_ANSWER.has(name)));

/** Security headers, and `Cache-Control: no-store` unless a resource says otherwise. */
export const securityHeaders = (): AppMiddleware => {
  const headers = [...helmetHeaders(), ['cache-control', 'no-store'] as [string, string]];
  return ({ res }, next) => {
    for (const [name, value] of headers) res.setHeader(name, value);
    return next();
  };
};
