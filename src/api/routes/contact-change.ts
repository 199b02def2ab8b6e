import {
  changeEmailRequest,
  changePhoneRequest,
  confirmContactRequest,
  contactChangeAccepted,
} from '../../contracts/contact-change';
import { userResponse } from '../../contracts/session';
import type { ContactChanges } from '../../identity/contact-changes';
import type { Profile } from '../../identity/profile';
import { originOf } from '../origin';
import { defineRoute, type Route, type RouteRequest } from '../route';

const TAGS = ['Users'];

interface Dependencies {
  readonly contactChanges: ContactChanges;
  readonly profile: Pick<Profile, 'read'>;
}

const contextOf = (request: Pick<RouteRequest, 'requestId' | 'ip' | 'headers' | 'repetitionId'>) => ({
  origin: originOf(request),
  repetitionId: request.repetitionId,
});

const LIMITS =
  'At most one code a minute and five in 24 hours; asking again replaces the code, which bears five wrong tries.';

export const contactChangeRoutes = ({ contactChanges, profile }: Dependencies): Route[] => [
  defineRoute({
    method: 'post',
    path: '/v1/users/me/phone',
    operationId: 'changePhone',
    summary: 'Ask for a code to change the phone number',
    description:
      'The code goes to the new number by SMS and works for 10 minutes. The answer is the same whoever has the number; its owner gets ' +
      `another SMS instead. ${LIMITS} Needs a login of the last 15 minutes (\`auth_time\`), or the current password; else ` +
      '`reauthentication_required`. `sms_unavailable` where no SMS can be sent.',
    tags: TAGS,
    auth: 'bearer',
    limit: 'credentials',
    highRisk: true,
    body: changePhoneRequest,
    responses: { 202: { description: 'A code is on its way', schema: contactChangeAccepted } },
    errors: [
      'reauthentication_required',
      'invalid_credentials',
      'login_delayed',
      'resend_too_soon',
      'resend_limit_reached',
      'sms_unavailable',
      'overloaded',
      'service_unavailable',
    ],
    handler: async (request) => ({
      status: 202,
      body: await contactChanges.requestPhone(request.caller, request.body, contextOf(request)),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/users/me/phone/confirm',
    operationId: 'confirmPhone',
    summary: 'Change the phone number, with the code of the SMS',
    description:
      'The old and the new number are told by SMS and the owner by mail. After another number `restrictions` names what has to wait: ' +
      'high-risk acts for 24 hours, payouts for 72. Proving the number that the account has already changes nothing else. An account ' +
      'that had the number without ever having proven it loses it.',
    tags: TAGS,
    auth: 'bearer',
    limit: 'credentials',
    body: confirmContactRequest,
    responses: { 200: { description: 'The account after the change', schema: userResponse } },
    errors: ['invalid_code', 'too_many_attempts', 'cooling_off', 'service_unavailable'],
    handler: async (request) => {
      await contactChanges.confirm('phone', request.caller, request.body.code, contextOf(request));
      return { status: 200, body: await profile.read(request.caller) };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/v1/users/me/email',
    operationId: 'changeEmail',
    summary: 'Ask for a code to change the e-mail address',
    description:
      'The code goes to the new address and works for 10 minutes; the old one is told that a change was asked for. The answer is the ' +
      `same whoever has the address; its owner gets another mail instead. ${LIMITS}`,
    tags: TAGS,
    auth: 'bearer',
    limit: 'credentials',
    highRisk: true,
    body: changeEmailRequest,
    responses: { 202: { description: 'A code is on its way', schema: contactChangeAccepted } },
    errors: [
      'invalid_credentials',
      'login_delayed',
      'resend_too_soon',
      'resend_limit_reached',
      'overloaded',
      'service_unavailable',
    ],
    handler: async (request) => ({
      status: 202,
      body: await contactChanges.requestEmail(request.caller, request.body, contextOf(request)),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/users/me/email/confirm',
    operationId: 'confirmEmail',
    summary: 'Change the e-mail address, with the mailed code',
    description:
      'Ends every other session and every open password reset. Both addresses are told. `cooling_off` where the phone number was ' +
      'changed meanwhile.',
    tags: TAGS,
    auth: 'bearer',
    limit: 'credentials',
    body: confirmContactRequest,
    responses: { 200: { description: 'The account after the change', schema: userResponse } },
    errors: ['invalid_code', 'too_many_attempts', 'cooling_off', 'service_unavailable'],
    handler: async (request) => {
      await contactChanges.confirm('email', request.caller, request.body.code, contextOf(request));
      return { status: 200, body: await profile.read(request.caller) };
    },
  }),
];
