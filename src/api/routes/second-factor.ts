import { loginMfaRequest, stepUpRequest } from '../../contracts/mfa';
import { tokensResponse } from '../../contracts/session';
import type { LoginChallenges } from '../../identity/login-challenges';
import type { StepUp } from '../../identity/step-up';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Sessions'];
const DELAYS = 'Wrong codes are counted and delayed as failed logins are (`login_delayed`). A code works once.';

/** Where a second factor is shown. */
export const secondFactorRoutes = (challenges: Pick<LoginChallenges, 'complete'>, stepUp: StepUp): Route[] => [
  defineRoute({
    method: 'post',
    path: '/v1/auth/login/mfa',
    operationId: 'completeLogin',
    summary: 'Show the second factor of a login',
    description:
      'With the `mfaToken` of the login, from the same device (`X-Device-Id`, else the kind of browser and system), within 10 minutes ' +
      `and five tries; else \`invalid_mfa_token\`, as after a change of the password meanwhile. ${DELAYS} The session is \`aal2\`.`,
    tags: TAGS,
    auth: 'none',
    limit: 'credentials',
    body: loginMfaRequest,
    responses: { 200: { description: 'A new session', schema: tokensResponse } },
    errors: ['invalid_mfa_token', 'invalid_code', 'login_delayed', 'service_unavailable'],
    handler: async (request) => ({ status: 200, body: await challenges.complete(request.body, originOf(request)) }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/step-up',
    operationId: 'stepUp',
    summary: 'Show the second factor again, before a sensitive act',
    description: `The session goes on as \`aal2\` with a fresh \`auth_time\`, under the next refresh token; the one before is used up as by a refresh. ${DELAYS}`,
    tags: TAGS,
    auth: 'bearer',
    limit: 'credentials',
    body: stepUpRequest,
    responses: { 200: { description: 'The session goes on', schema: tokensResponse } },
    errors: ['invalid_code', 'login_delayed', 'service_unavailable'],
    handler: async (request) => ({
      status: 200,
      body: await stepUp(request.caller, request.body, originOf(request)),
    }),
  }),
];
