import { z } from 'zod';

import { uuidSchema } from '../../contracts/identity';
import { loginResponse } from '../../contracts/mfa';
import { jwksResponse, loginRequest, refreshRequest, sessionsResponse, tokensResponse } from '../../contracts/session';
import type { AccessTokens } from '../../crypto/access-token';
import type { Login } from '../../identity/login';
import type { Sessions } from '../../identity/sessions';
import { rememberedDeviceHeaders } from '../device-headers';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Sessions'];

interface Dependencies {
  readonly login: Login;
  readonly sessions: Sessions;
  readonly accessTokens: Pick<AccessTokens, 'jwks'>;
  /** How long clients may keep the key set; less than a key is published before it is used. */
  readonly jwksMaxAgeSeconds: number;
}

const loginRoute = (login: Login): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/login',
    operationId: 'login',
    summary: 'Log in with a password',
    description:
      'Whatever is wrong, the answer is `invalid_credentials`, in the same time. `verification_required` and `account_locked` ' +
      'are told only to whoever knows the password. `X-Device-Id` (8 to 128 letters, digits, `.`, `_`, `-`, chosen by the client) ' +
      'names the device; without it the kind of browser and system does. The owner is told of a login from a new device. ' +
      'Beyond the limit of sessions the oldest one ends. After too many failures a login waits (`login_delayed`), the right ' +
      'password included, whether or not there is an account; a device that has logged in before, and sends the same ' +
      '`X-Device-Id`, waits only for its own failures. Where a second factor is on, the right password opens no session: the ' +
      'answer has `mfaRequired: true`, and the factors that may be shown; unless the account remembers the device, which is shown by ' +
      '`X-Device-Token` with the same `X-Device-Id`: then the session is `aal1`, and what needs a second factor still asks for it.',
    tags: TAGS,
    auth: 'none',
    limit: 'credentials',
    headers: rememberedDeviceHeaders,
    body: loginRequest,
    responses: {
      200: {
        description: 'A new session, or what is to be shown at `/v1/auth/login/mfa` next, or `/v1/auth/passkeys/login`',
        schema: loginResponse,
      },
    },
    errors: [
      'invalid_credentials',
      'verification_required',
      'account_locked',
      'login_delayed',
      'overloaded',
      'service_unavailable',
    ],
    handler: async (request) => ({
      status: 200,
      body: await login(request.body, originOf(request), request.headers.deviceToken),
    }),
  });

export const sessionRoutes = ({ login, sessions, accessTokens, jwksMaxAgeSeconds }: Dependencies): Route[] => [
  loginRoute(login),
  defineRoute({
    method: 'post',
    path: '/v1/auth/refresh',
    operationId: 'refresh',
    summary: 'Exchange a refresh token',
    description:
      'Every use gives a new token. The same token shown again within 30 seconds gives the same successor (a lost answer, two ' +
      'tabs at once); shown later it ends the session, and the owner is told.',
    tags: TAGS,
    auth: 'none',
    limit: 'session',
    body: refreshRequest,
    responses: { 200: { description: 'The session goes on', schema: tokensResponse } },
    errors: ['invalid_refresh_token', 'service_unavailable'],
    handler: async (request) => ({
      status: 200,
      body: await sessions.refresh(request.body.refreshToken, originOf(request)),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/logout',
    operationId: 'logout',
    summary: 'End this session',
    description: 'The access token stops working at once.',
    tags: TAGS,
    auth: 'bearer',
    duringEnrollment: true,
    limit: 'session',
    responses: { 204: { description: 'Ended' } },
    errors: ['service_unavailable'],
    handler: async (request) => {
      await sessions.end(request.caller, originOf(request));
      return { status: 204 };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/logout-all',
    operationId: 'logoutAll',
    summary: 'End every session of the caller',
    tags: TAGS,
    auth: 'bearer',
    duringEnrollment: true,
    limit: 'session',
    responses: { 204: { description: 'Ended' } },
    errors: ['service_unavailable'],
    handler: async (request) => {
      await sessions.endAll(request.caller, originOf(request));
      return { status: 204 };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/v1/auth/sessions',
    operationId: 'listSessions',
    summary: 'The devices on which the caller is logged in',
    tags: TAGS,
    auth: 'bearer',
    responses: { 200: { description: 'Sessions that can go on, the last used first', schema: sessionsResponse } },
    errors: ['service_unavailable'],
    handler: async ({ caller }) => ({ status: 200, body: { sessions: await sessions.list(caller) } }),
  }),
  defineRoute({
    method: 'delete',
    path: '/v1/auth/sessions/:id',
    operationId: 'revokeSession',
    summary: 'End one session of the caller',
    description:
      'Its access tokens stop working at once. Somebody else’s session is not to be told from one that does not exist.',
    tags: TAGS,
    auth: 'bearer',
    params: z.object({ id: uuidSchema.meta({ description: 'Of the session' }) }),
    responses: { 204: { description: 'Ended' } },
    errors: ['session_not_found', 'service_unavailable'],
    handler: async (request) => {
      await sessions.revoke(request.caller, request.params.id, originOf(request));
      return { status: 204 };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/.well-known/jwks.json',
    operationId: 'getJwks',
    summary: 'Public keys of the access tokens (RFC 7517)',
    description:
      'A key is published long before it signs, and until the last of its tokens has ended: whoever asks again as often as ' +
      '`Cache-Control` says never meets a token of an unknown key.',
    tags: TAGS,
    auth: 'none',
    limit: 'read',
    responses: {
      200: {
        description: 'JSON Web Key Set',
        schema: jwksResponse,
        headers: { 'Cache-Control': 'How long the set may be kept' },
      },
    },
    errors: ['service_unavailable'],
    handler: async () => ({
      status: 200,
      body: await accessTokens.jwks(),
      headers: { 'Cache-Control': `public, max-age=${String(jwksMaxAgeSeconds)}` },
    }),
  }),
];
