import { confirmResponse } from '../../contracts/mfa';
import {
  passkeyAssertion,
  passkeyLoginRequest,
  passkeyOptionsResponse,
  passkeyRegistration,
  passkeyRegistrationRequest,
  passkeyRegistrationResponse,
} from '../../contracts/passkey';
import { tokensResponse } from '../../contracts/session';
import type { PasskeyLogins } from '../../identity/passkey-logins';
import type { PasskeyRegistrations } from '../../identity/passkey-registrations';
import type { PasskeyStepUp } from '../../identity/passkey-step-up';
import { deviceHeaders } from '../device-headers';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Passkeys'];
const CHALLENGE = 'The challenge works once, within five minutes, from the device that asked for it (`X-Device-Id`).';

const registrationRoutes = (registrations: PasskeyRegistrations): Route[] => [
  defineRoute({
    method: 'post',
    path: '/v1/auth/passkeys/registration/options',
    operationId: 'beginPasskeyRegistration',
    summary: 'Set up a passkey',
    description:
      'An enrolment of a second factor as at `/v1/auth/mfa/enrollments`, with the same conditions, 10 minutes and five tries; beginning ' +
      'again ends the one before. An account may have 20 passkeys. `publicKey` is what `navigator.credentials.create` takes, by way ' +
      'of `PublicKeyCredential.parseCreationOptionsFromJSON`. The passkey is discoverable and verifies its user, so that it is two ' +
      'factors in one; no attestation is asked for.',
    tags: TAGS,
    auth: 'bearer',
    duringEnrollment: true,
    limit: 'credentials',
    body: passkeyRegistrationRequest,
    responses: { 201: { description: 'Waits for the passkey', schema: passkeyRegistrationResponse } },
    errors: [
      ...([
        'reauthentication_required',
        'step_up_required',
        'factor_not_allowed',
        'too_many_passkeys',
        'enrollment_ended',
      ] as const),
      'service_unavailable',
    ],
    handler: async ({ caller, body, repetitionId }) => ({
      status: 201,
      body: await registrations.options(caller, body, repetitionId),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/passkeys/registration/verify',
    operationId: 'completePasskeyRegistration',
    summary: 'Put the passkey in force',
    description:
      '`credential` is `credential.toJSON()` of the browser. The owner is told by mail. With the first factor come ten recovery codes, ' +
      'which are shown now and never again.',
    tags: TAGS,
    auth: 'bearer',
    duringEnrollment: true,
    limit: 'credentials',
    body: passkeyRegistration,
    responses: { 200: { description: 'The passkey is in force', schema: confirmResponse } },
    errors: [
      ...(['invalid_passkey', 'enrollment_not_found', 'enrollment_confirmed', 'enrollment_ended'] as const),
      'service_unavailable',
    ],
    handler: async ({ caller, body, repetitionId }) => ({
      status: 200,
      body: await registrations.verify(caller, body, repetitionId),
    }),
  }),
];

const loginRoutes = (logins: PasskeyLogins): Route[] => [
  defineRoute({
    method: 'post',
    path: '/v1/auth/passkeys/login/options',
    operationId: 'beginPasskeyLogin',
    summary: 'Log in with a passkey',
    description:
      'Without an `mfaToken` the passkey says whose it is, and nothing is asked of the person before: no address, no password. With the ' +
      '`mfaToken` of a login it is the second factor, and `allowCredentials` are the passkeys of the account. `publicKey` is what ' +
      `\`navigator.credentials.get\` takes, by way of \`PublicKeyCredential.parseRequestOptionsFromJSON\`. ${CHALLENGE}`,
    tags: TAGS,
    auth: 'none',
    limit: 'credentials',
    headers: deviceHeaders,
    body: passkeyLoginRequest,
    responses: { 200: { description: 'The challenge', schema: passkeyOptionsResponse } },
    errors: ['invalid_mfa_token', 'service_unavailable'],
    handler: async (request) => ({ status: 200, body: await logins.options(request.body, originOf(request)) }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/passkeys/login/verify',
    operationId: 'completePasskeyLogin',
    summary: 'Show the passkey of a login',
    description:
      '`credential` is `credential.toJSON()` of the browser. Whatever is wrong, the answer is `invalid_credentials`. The session is ' +
      '`aal2`, with `hwk` in `amr`, or `swk` for a passkey that is synced. A passkey whose signature count was used before may have ' +
      'been copied: it is refused, and its owner is told. As the second half of a login it uses the `mfaToken` up, and failures count ' +
      'as wrong codes do (`login_delayed`, `invalid_mfa_token`).',
    tags: TAGS,
    auth: 'none',
    limit: 'credentials',
    headers: deviceHeaders,
    body: passkeyAssertion,
    responses: { 200: { description: 'A new session', schema: tokensResponse } },
    errors: ['invalid_credentials', 'invalid_mfa_token', 'login_delayed', 'service_unavailable'],
    handler: async (request) => ({ status: 200, body: await logins.verify(request.body, originOf(request)) }),
  }),
];

const stepUpRoutes = (stepUp: PasskeyStepUp): Route[] => [
  defineRoute({
    method: 'post',
    path: '/v1/auth/passkeys/step-up/options',
    operationId: 'beginPasskeyStepUp',
    summary: 'Show a passkey before a sensitive act',
    description: `\`allowCredentials\` are the passkeys of the caller; \`factor_not_found\` without one. ${CHALLENGE}`,
    tags: TAGS,
    auth: 'bearer',
    duringEnrollment: true,
    limit: 'credentials',
    responses: { 200: { description: 'The challenge', schema: passkeyOptionsResponse } },
    errors: ['factor_not_found', 'service_unavailable'],
    handler: async (request) => ({ status: 200, body: await stepUp.options(request.caller, originOf(request)) }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/passkeys/step-up/verify',
    operationId: 'completePasskeyStepUp',
    summary: 'Raise the session with the passkey',
    description:
      'As `/v1/auth/step-up`: the session goes on as `aal2` with a fresh `auth_time`, under the next refresh token; the one before is ' +
      'used up as by a refresh.',
    tags: TAGS,
    auth: 'bearer',
    duringEnrollment: true,
    limit: 'credentials',
    body: passkeyAssertion,
    responses: { 200: { description: 'The session goes on', schema: tokensResponse } },
    errors: ['invalid_passkey', 'service_unavailable'],
    handler: async (request) => ({
      status: 200,
      body: await stepUp.verify(request.caller, request.body, originOf(request)),
    }),
  }),
];

interface Dependencies {
  readonly registrations: PasskeyRegistrations;
  readonly logins: PasskeyLogins;
  readonly stepUp: PasskeyStepUp;
}

export const passkeyRoutes = ({ registrations, logins, stepUp }: Dependencies): Route[] => [
  ...registrationRoutes(registrations),
  ...loginRoutes(logins),
  ...stepUpRoutes(stepUp),
];
