import { changePasswordRequest, forgotPasswordRequest, resetPasswordRequest } from '../../contracts/password';
import type { Passwords } from '../../identity/passwords';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Passwords'];

export const passwordRoutes = (passwords: Passwords): Route[] => [
  defineRoute({
    method: 'post',
    path: '/v1/auth/password/forgot',
    operationId: 'forgotPassword',
    summary: 'Ask for a mail to reset the password',
    description:
      'The answer is the same, in the same time, whether or not somebody has the address. The mailed link works once and for 15 ' +
      'minutes; asking again after a minute mails a new one, and the older stops working. At most five mails an hour.',
    tags: TAGS,
    auth: 'none',
    limit: 'registration',
    body: forgotPasswordRequest,
    responses: { 202: { description: 'If somebody has the address, a mail is on its way' } },
    errors: ['service_unavailable'],
    handler: async ({ body }) => {
      await passwords.forgot(body.email);
      return { status: 202 };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/password/reset',
    operationId: 'resetPassword',
    summary: 'Set a new password with the mailed token',
    description:
      'Ends every session and every delay after failed logins; a second factor stays on. A token that is wrong, expired, used or ' +
      'replaced by a newer mail is `invalid_reset_token`. A new password that the policy refuses does not use the token up. Send an ' +
      '`Idempotency-Key`: without one, a repetition after a lost answer meets a token that is used.',
    tags: TAGS,
    auth: 'none',
    limit: 'credentials',
    body: resetPasswordRequest,
    responses: { 204: { description: 'The password is changed' } },
    errors: ['invalid_reset_token', 'overloaded', 'service_unavailable'],
    handler: async (request) => {
      await passwords.reset(request.body, originOf(request), request.repetitionId);
      return { status: 204 };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/v1/auth/password/change',
    operationId: 'changePassword',
    summary: 'Change the password',
    description:
      'Ends every other session of the caller at once; this one goes on. The owner is told by mail. Wrong ' +
      'current passwords are counted and delayed as failed logins are.',
    tags: TAGS,
    auth: 'bearer',
    limit: 'credentials',
    body: changePasswordRequest,
    responses: { 204: { description: 'The password is changed' } },
    errors: ['invalid_credentials', 'login_delayed', 'overloaded', 'service_unavailable'],
    handler: async (request) => {
      await passwords.change(request.caller, request.body, originOf(request), request.repetitionId);
      return { status: 204 };
    },
  }),
];
