import {
  factorCodeAccepted,
  loginChallengeRequest,
  loginMfaRequest,
  stepUpChallengeRequest,
  stepUpRequest,
} from '../../contracts/mfa';
import { loginMfaResponse } from '../../contracts/remembered-device';
import { tokensResponse } from '../../contracts/session';
import type { FactorCodes } from '../../identity/factor-codes';
import type { LoginChallenges } from '../../identity/login-challenges';
import type { StepUp } from '../../identity/step-up';
import { deviceHeaders } from '../device-headers';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Sessions'];
const DELAYS = 'Wrong codes are counted and delayed as failed logins are (`login_delayed`). A code works once.';

const LIMITS =
  'Six digits, good once and for 10 minutes; asking again ends the code before. One a minute, five an hour and 20 a day for each kind, ' +
  'else `resend_too_soon` or `resend_limit_reached`. An SMS is not sent within 24 hours of a change of the phone (`cooling_off`).';
const SENDING_ERRORS = [
  ...(['factor_not_found', 'phone_not_verified', 'cooling_off', 'resend_too_soon', 'resend_limit_reached'] as const),
  ...(['login_delayed', 'sms_unavailable', 'service_unavailable'] as const),
] as const;

/** Where a code is asked for that comes by mail or SMS. */
export const factorCodeRoutes = (challenges: Pick<LoginChallenges, 'sendCode'>, codes: FactorCodes): Route[] => [
  defineRoute({
    method: 'post',
    path: '/v1/auth/login/mfa/challenge',
    operationId: 'sendLoginCode',
    summary: 'Have a code sent for a login',
    description: `To the proven e-mail address or phone of the account, for this login and device alone. ${LIMITS}`,
    tags: TAGS,
    auth: 'none',
    limit: 'credentials',
    headers: deviceHeaders,
    body: loginChallengeRequest,
    responses: { 202: { description: 'The code is on its way', schema: factorCodeAccepted } },
    errors: ['invalid_mfa_token', ...SENDING_ERRORS],
    handler: async (request) => {
      const { body, repetitionId } = request;
      return { status: 202, body: await challenges.sendCode(body, { origin: originOf(request), repetitionId }) };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/step-up/challenge',
    operationId: 'sendStepUpCode',
    summary: 'Have a code sent for a step-up',
    description: `To the proven e-mail address or phone of the account, for this session alone. ${LIMITS}`,
    tags: TAGS,
    auth: 'bearer',
    duringEnrollment: true,
    limit: 'credentials',
    body: stepUpChallengeRequest,
    responses: { 202: { description: 'The code is on its way', schema: factorCodeAccepted } },
    errors: SENDING_ERRORS,
    handler: async (request) => {
      const { caller, body, repetitionId } = request;
      const context = { origin: originOf(request), repetitionId };
      return { status: 202, body: await codes.sendForStepUp(caller, body.factor, context) };
    },
  }),
];

/** Where a second factor is shown. */
export const secondFactorRoutes = (challenges: Pick<LoginChallenges, 'complete'>, stepUp: StepUp): Route[] => [
  defineRoute({
    method: 'post',
    path: '/v1/auth/login/mfa',
    operationId: 'completeLogin',
    summary: 'Show the second factor of a login',
    description:
      'With the `mfaToken` of the login, from the same device (`X-Device-Id`, else the kind of browser and system), within 10 minutes ' +
      `and five tries; else \`invalid_mfa_token\`, as after a change of the password meanwhile. ${DELAYS} The session is \`aal2\`. ` +
      'With `rememberDevice`, where the policy allows it, the device has an `X-Device-Id`, and it was no recovery code, the answer has ' +
      'a `deviceToken` for later logins.',
    tags: TAGS,
    auth: 'none',
    limit: 'credentials',
    headers: deviceHeaders,
    body: loginMfaRequest,
    responses: { 200: { description: 'A new session', schema: loginMfaResponse } },
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
    duringEnrollment: true,
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
