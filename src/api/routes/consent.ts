import { consentParams, consentsResponse, consentStanding, giveConsentRequest } from '../../contracts/consent';
import type { Consents } from '../../identity/consents';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Users'];

export const consentRoutes = (consents: Consents): Route[] => [
  defineRoute({
    method: 'get',
    path: '/v1/users/me/consents',
    operationId: 'listConsents',
    summary: 'What the caller has consented to',
    description:
      'Every purpose that consent is asked for, with the version that is asked for now and where the caller stands, and the history ' +
      'of what was given and withdrawn. Nothing is ever taken out of the history while the account is there.',
    tags: TAGS,
    auth: 'bearer',
    limit: 'read',
    responses: { 200: { description: 'Standing and history', schema: consentsResponse } },
    errors: ['service_unavailable'],
    handler: async ({ caller }) => ({ status: 200, body: await consents.read(caller) }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/users/me/consents',
    operationId: 'giveConsent',
    summary: 'Give a consent',
    description:
      'To the version that is asked for now; `consent_version_unknown` for any other. One that is given already stays as it is.',
    tags: TAGS,
    auth: 'bearer',
    limit: 'session',
    body: giveConsentRequest,
    responses: { 200: { description: 'It is given', schema: consentStanding } },
    errors: ['consent_version_unknown', 'service_unavailable'],
    handler: async (request) => ({
      status: 200,
      body: await consents.give(request.caller, request.body, originOf(request)),
    }),
  }),
  defineRoute({
    method: 'delete',
    path: '/v1/users/me/consents/:purpose',
    operationId: 'withdrawConsent',
    summary: 'Withdraw a consent',
    description:
      'As easily as it was given, and from now on. `consent_required` for what the account cannot be without: that ends with the ' +
      'erasure of the account. One that is withdrawn already stays so.',
    tags: TAGS,
    auth: 'bearer',
    limit: 'session',
    params: consentParams,
    responses: { 204: { description: 'It is withdrawn' } },
    errors: ['consent_required', 'consent_not_found', 'service_unavailable'],
    handler: async (request) => {
      await consents.withdraw(request.caller, request.params.purpose, originOf(request));
      return { status: 204 };
    },
  }),
];
