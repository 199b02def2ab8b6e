import { z } from 'zod';

import { uuidSchema } from '../../contracts/identity';
import {
  confirmRequest,
  confirmResponse,
  enrollmentParams,
  enrollmentRequest,
  enrollmentResponse,
  factorsResponse,
  recoveryCodesResponse,
  STEP_UP_MAX_AGE_MS,
} from '../../contracts/mfa';
import type { Enrollments } from '../../identity/enrollments';
import type { Factors } from '../../identity/factors';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Second factors'];
const ASSURANCE = { acr: 'aal2', maxAgeMs: STEP_UP_MAX_AGE_MS } as const;

const enrollmentRoutes = (enrollments: Enrollments): Route[] => [
  defineRoute({
    method: 'post',
    path: '/v1/auth/mfa/enrollments',
    operationId: 'beginEnrollment',
    summary: 'Set up a second factor',
    description:
      'Of `totp`: gives a secret for an authenticator app, which is shown once. Of `email_otp` and `sms_otp`: sends a code to the proven ' +
      'e-mail address or phone of the account (`phone_not_verified` where there is none; `cooling_off` for 24 hours after a change of it), ' +
      'one a minute and five an hour. A kind that `MFA_FACTORS` does not name is `factor_not_allowed`. Nothing changes until a code is confirmed, within 10 minutes ' +
      'and five tries; a factor that is in force stays so until then, and is replaced then. Beginning again ends the enrolment before. ' +
      'The first factor needs a login of the last 15 minutes (`reauthentication_required` else), another one a second factor ' +
      'shown in the last 10 minutes (`step_up_required` else).',
    tags: TAGS,
    auth: 'bearer',
    duringEnrollment: true,
    limit: 'credentials',
    body: enrollmentRequest,
    responses: { 201: { description: 'Waits for a code', schema: enrollmentResponse } },
    errors: [
      ...(['reauthentication_required', 'step_up_required', 'factor_not_allowed', 'phone_not_verified'] as const),
      ...(['cooling_off', 'resend_too_soon', 'resend_limit_reached', 'sms_unavailable'] as const),
      ...(['enrollment_ended', 'service_unavailable'] as const),
    ],
    handler: async ({ caller, body, repetitionId }) => ({
      status: 201,
      body: await enrollments.begin(caller, body, repetitionId),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/mfa/enrollments/:id/confirm',
    operationId: 'confirmEnrollment',
    summary: 'Put the second factor in force, with a code of it',
    description:
      'The owner is told by mail. With the first factor come ten recovery codes, which are shown now and never again. After five wrong ' +
      'codes the enrolment has ended.',
    tags: TAGS,
    auth: 'bearer',
    duringEnrollment: true,
    limit: 'credentials',
    params: enrollmentParams,
    body: confirmRequest,
    responses: { 200: { description: 'The factor is in force', schema: confirmResponse } },
    errors: ['invalid_code', 'enrollment_not_found', 'enrollment_confirmed', 'enrollment_ended', 'service_unavailable'],
    handler: async ({ caller, params, body, repetitionId }) => ({
      status: 200,
      body: await enrollments.confirm(caller, params.id, body.code, repetitionId),
    }),
  }),
  defineRoute({
    method: 'delete',
    path: '/v1/auth/mfa/enrollments/:id',
    operationId: 'cancelEnrollment',
    summary: 'Give an enrolment up',
    description: 'Nothing changes, and its secret is dropped. One that has ended already is no error.',
    tags: TAGS,
    auth: 'bearer',
    duringEnrollment: true,
    params: enrollmentParams,
    responses: { 204: { description: 'Ended' } },
    errors: ['enrollment_not_found', 'enrollment_confirmed', 'service_unavailable'],
    handler: async ({ caller, params }) => {
      await enrollments.cancel(caller, params.id);
      return { status: 204 };
    },
  }),
];

const factorRoutes = (factors: Factors): Route[] => [
  defineRoute({
    method: 'get',
    path: '/v1/auth/mfa/factors',
    operationId: 'listFactors',
    summary: 'The second factors of the caller',
    tags: TAGS,
    auth: 'bearer',
    duringEnrollment: true,
    responses: { 200: { description: 'Factors in force', schema: factorsResponse } },
    errors: ['service_unavailable'],
    handler: async ({ caller }) => ({ status: 200, body: await factors.list(caller) }),
  }),
  defineRoute({
    method: 'delete',
    path: '/v1/auth/mfa/factors/:id',
    operationId: 'removeFactor',
    summary: 'Remove a second factor',
    description:
      'With the last one the recovery codes stop working. The owner is told by mail. `factor_required` for the last app or passkey of ' +
      'somebody whose roles need one.',
    tags: TAGS,
    auth: 'bearer',
    assurance: ASSURANCE,
    highRisk: true,
    params: z.strictObject({ id: uuidSchema.meta({ description: 'Of the factor' }) }),
    responses: { 204: { description: 'Removed' } },
    errors: ['factor_not_found', 'factor_required', 'service_unavailable'],
    handler: async (request) => {
      await factors.remove(request.caller, request.params.id, originOf(request));
      return { status: 204 };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/mfa/recovery-codes',
    operationId: 'renewRecoveryCodes',
    summary: 'Ten new recovery codes',
    description: 'The older ones stop working. Shown now and never again. `factor_not_found` without a second factor.',
    tags: TAGS,
    auth: 'bearer',
    assurance: ASSURANCE,
    highRisk: true,
    responses: { 200: { description: 'The codes that work from now on', schema: recoveryCodesResponse } },
    errors: ['factor_not_found', 'service_unavailable'],
    handler: async (request) => ({
      status: 200,
      body: { recoveryCodes: await factors.renewRecoveryCodes(request.caller, originOf(request)) },
    }),
  }),
];

export const mfaRoutes = (enrollments: Enrollments, factors: Factors): Route[] => [
  ...enrollmentRoutes(enrollments),
  ...factorRoutes(factors),
];
