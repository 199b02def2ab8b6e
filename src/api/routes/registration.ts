import {
  registerRequest,
  registrationAccepted,
  registrationParams,
  registrationState,
  verifyRequest,
} from '../../contracts/registration';
import { verifiedResponse } from '../../contracts/session';
import type { Registrations } from '../../identity/registration';
import { acceptedLocale } from '../accepted-locale';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Registration'];

export const registrationRoutes = (registrations: Registrations): Route[] => [
  defineRoute({
    method: 'post',
    path: '/v1/auth/register',
    operationId: 'register',
    summary: 'Register',
    description:
      'Accepts a registration durably and mails a code to the address. The answer is the same whether or not the address, ' +
      'phone or Fayda ID belongs to an account; the owner of a taken address gets a mail instead. Sending the same ' +
      'registration again joins the one that is open.',
    tags: TAGS,
    auth: 'none',
    limit: 'registration',
    body: registerRequest,
    responses: { 202: { description: 'Accepted; a mail is on its way', schema: registrationAccepted } },
    errors: ['overloaded', 'service_unavailable'],
    handler: async ({ body, headers }) => {
      const { registrationId, expiresAt } = await registrations.register(body, acceptedLocale(headers.acceptLanguage));
      return { status: 202, body: { registrationId, status: 'verification_pending', expiresAt } };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/v1/auth/register/:registrationId',
    operationId: 'getRegistration',
    summary: 'Where a registration stands',
    tags: TAGS,
    auth: 'none',
    limit: 'read',
    params: registrationParams,
    responses: { 200: { description: 'The registration', schema: registrationState } },
    errors: ['registration_not_found', 'service_unavailable'],
    handler: async ({ params }) => ({ status: 200, body: await registrations.state(params.registrationId) }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/register/:registrationId/verify',
    operationId: 'verifyRegistration',
    summary: 'Prove the address with the mailed code',
    description:
      'The right code opens the account and a session. A code works once and bears five wrong tries. With an Idempotency-Key a ' +
      'request whose answer was lost may be repeated and gets its session. A device that sends `X-Device-Id` is known from then on.',
    tags: TAGS,
    auth: 'none',
    limit: 'credentials',
    params: registrationParams,
    body: verifyRequest,
    responses: { 201: { description: 'The account and its first session', schema: verifiedResponse } },
    errors: [
      'registration_not_found',
      'registration_completed',
      'registration_expired',
      'invalid_code',
      'too_many_attempts',
      'service_unavailable',
    ],
    handler: async (request) => {
      const { params, body, repetitionId } = request;
      const verified = await registrations.verify(params.registrationId, body.code, originOf(request), repetitionId);
      return { status: 201, body: verified };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/register/:registrationId/resend',
    operationId: 'resendRegistrationCode',
    summary: 'Send a new code',
    description: 'At most one a minute and five in all. The older code stops working.',
    tags: TAGS,
    auth: 'none',
    limit: 'registration',
    params: registrationParams,
    responses: { 202: { description: 'A mail is on its way', schema: registrationAccepted } },
    errors: [
      'registration_not_found',
      'registration_completed',
      'registration_expired',
      'resend_too_soon',
      'resend_limit_reached',
      'service_unavailable',
    ],
    handler: async ({ params, repetitionId }) => {
      const { registrationId, expiresAt } = await registrations.resend(params.registrationId, repetitionId);
      return { status: 202, body: { registrationId, status: 'verification_pending', expiresAt } };
    },
  }),
];
