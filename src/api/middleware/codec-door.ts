import koaCors from '@koa/cors';

import { bearerTokenOf } from '../../contracts/bearer';
import { AppError } from '../../contracts/errors';
import type { AppContext, AppMiddleware } from '../context';

const DECODE = '/decode';
const SESSION = '/session';
/** Probes and scrapers come by address. */
const OPERATIONS = new Set(['/healthz', '/readyz', '/metrics']);
const PREFLIGHT_MAX_AGE = 600;
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

export interface CodecDoorOptions {
  /** Base URL under which browsers reach the server. */
  readonly url: string;
  /** Origins of the Temporal UI. */
  readonly uiOrigins: readonly string[];
  /** Life of an access token, milliseconds; read at use. */
  readonly tokenLife: { readonly expiresInMs: number };
}

/** The names of the server: another one is that of a page that resolves its own name to this machine (DNS rebinding). */
const originsOf = (url: string): Set<string> => {
  const { protocol, hostname, host, origin } = new URL(url);
  if (!LOOPBACK.includes(hostname)) return new Set([origin]);
  return new Set(LOOPBACK.map((name) => `${protocol}//${host.replace(hostname, name)}`));
};

/** Lets the pages of the UI, and no others, read answers to requests with the cookie. */
const uiCors = (uiOrigins: readonly string[]): AppMiddleware =>
  koaCors({
    origin: (ctx) => (uiOrigins.includes(ctx.get('Origin')) ? ctx.get('Origin') : ''),
    allowMethods: ['POST'],
    allowHeaders: ['Content-Type', 'X-Namespace', 'Authorization'],
    credentials: true,
    maxAge: PREFLIGHT_MAX_AGE,
  });

/**
 * What stands between browsers and the codec server.
 *
 * - Its own pages are served, and talked to, under its own name only.
 * - The access token of a sign-in becomes a cookie that scripts cannot read, and that browsers send from pages of the same site
 *   alone. With it `/decode` is asked, from the origins of the Temporal UI alone; who has no `Origin` is no browser and shows a
 *   token. Both a JSON body and `X-Namespace` make browsers ask first (preflight), so that no form of another page will do.
 *
 * @throws {AppError} `not_found` under another name, `forbidden` to another origin
 */
export const codecDoor = ({ url, uiOrigins, tokenLife }: CodecDoorOptions): AppMiddleware => {
  const own = originsOf(url);
  const isSecure = url.startsWith('https:');
  const { protocol } = new URL(url);
  // The prefix makes browsers refuse it from another host, and without `Secure`.
  const name = isSecure ? '__Host-meqenet-codec' : 'meqenet-codec';
  const handleCors = uiCors(uiOrigins);

  const setCookie = (ctx: AppContext, value: string, maxAgeMs: number): void => {
    const maxAge = `Max-Age=${String(Math.floor(maxAgeMs / 1_000))}`;
    const attributes = ['Path=/', 'HttpOnly', 'SameSite=Strict', maxAge, ...(isSecure ? ['Secure'] : [])];
    ctx.append('Set-Cookie', [`${name}=${value}`, ...attributes].join('; '));
  };

  const requireOrigin = (ctx: AppContext): void => {
    const origin = ctx.req.headers.origin;
    if (origin === undefined) return;
    const allowed = ctx.path === DECODE ? uiOrigins.includes(origin) : own.has(origin);
    if (!allowed) throw new AppError('forbidden');
  };

  return async (ctx, next) => {
    if (OPERATIONS.has(ctx.path)) return next() as Promise<void>;
    if (!own.has(`${protocol}//${ctx.get('Host').toLowerCase()}`)) throw new AppError('not_found');
    requireOrigin(ctx);
    if (ctx.path === DECODE) {
      const cookie = ctx.cookies.get(name);
      const isBrowser = ctx.req.headers.origin !== undefined;
      if (isBrowser && cookie !== undefined) ctx.req.headers.authorization ??= `Bearer ${cookie}`;
      return handleCors(ctx, next) as Promise<void>;
    }
    await next();
    if (ctx.path !== SESSION || ctx.status !== 204) return undefined;
    if (ctx.method === 'POST') setCookie(ctx, bearerTokenOf(ctx.get('Authorization')) ?? '', tokenLife.expiresInMs);
    if (ctx.method === 'DELETE') setCookie(ctx, '', 0);
    return undefined;
  };
};
