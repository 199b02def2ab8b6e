import {
  cancelRecoveryRequest,
  completeRecoveryRequest,
  recoveryResponse,
  startRecoveryRequest,
} from '../../contracts/account-recovery';
import type { AccountRecoveries } from '../../identity/account-recoveries';
import { deviceHeaders } from '../device-headers';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const COMMON = { tags: ['Account recovery'], limit: 'credentials' } as const;

/** What needs no session: its owner has none. */
const publicRoutes = (recoveries: AccountRecoveries): Route[] => [
  defineRoute({
    ...COMMON,
    method: 'post',
    path: '/v1/auth/mfa/recovery',
    operationId: 'startRecovery',
    summary: 'Ask for a way back after every second factor is lost',
    description:
      'With the `mfaToken` of a login, from its device: the password is proven by it. The owner is told by every channel and can cancel; ' +
      'after the waiting period, and with the approval of support, a mailed token completes it. One runs at a time: asking again gives ' +
      'that one. Too soon after a change of phone or address, or after others that came to nothing, it is `recovery_delayed`.',
    auth: 'none',
    headers: deviceHeaders,
    body: startRecoveryRequest,
    responses: { 202: { description: 'Waits', schema: recoveryResponse } },
    errors: ['invalid_mfa_token', 'recovery_delayed', 'service_unavailable'],
    handler: async (request) => ({
      status: 202,
      body: await recoveries.begin(request.body.mfaToken, originOf(request)),
    }),
  }),
  defineRoute({
    ...COMMON,
    method: 'post',
    path: '/v1/auth/mfa/recovery/cancel',
    operationId: 'cancelRecoveryByToken',
    summary: 'Cancel an account recovery with the mailed token',
    description: 'The link of every mail about it leads here. One that is cancelled already is no error.',
    auth: 'none',
    body: cancelRecoveryRequest,
    responses: { 204: { description: 'Cancelled: nothing changes' } },
    errors: ['invalid_recovery_token', 'service_unavailable'],
    handler: async (request) => {
      await recoveries.cancelByToken(request.body.token, originOf(request));
      return { status: 204 };
    },
  }),
  defineRoute({
    ...COMMON,
    method: 'post',
    path: '/v1/auth/mfa/recovery/complete',
    operationId: 'completeRecovery',
    summary: 'Remove every second factor, with the mailed token and the password',
    description:
      'Recovery codes go, every session ends, remembered devices are forgotten; the owner is told by every channel. The password of now, ' +
      'which must be that of the start. Wrong ones are counted and delayed as failed logins are. Send an `Idempotency-Key`: ' +
      'without one, a repetition after a lost answer meets a token that is used.',
    auth: 'none',
    body: completeRecoveryRequest,
    responses: { 204: { description: 'A login needs the password only' } },
    errors: ['invalid_recovery_token', 'invalid_credentials', 'login_delayed', 'overloaded', 'service_unavailable'],
    handler: async (request) => {
      await recoveries.complete(request.body, originOf(request), request.repetitionId);
      return { status: 204 };
    },
  }),
];

export const accountRecoveryRoutes = (recoveries: AccountRecoveries): Route[] => [
  ...publicRoutes(recoveries),
  defineRoute({
    tags: COMMON.tags,
    method: 'get',
    path: '/v1/auth/mfa/recovery',
    operationId: 'getRecovery',
    summary: 'The account recovery that runs for the caller',
    auth: 'bearer',
    responses: { 200: { description: 'It runs', schema: recoveryResponse } },
    errors: ['recovery_not_found', 'service_unavailable'],
    handler: async ({ caller }) => ({ status: 200, body: await recoveries.find(caller) }),
  }),
  defineRoute({
    tags: COMMON.tags,
    method: 'delete',
    path: '/v1/auth/mfa/recovery',
    operationId: 'cancelRecovery',
    summary: 'Cancel the account recovery that runs for the caller',
    description:
      'Any session may: whoever has one needs no way back. A login or step-up with a second factor cancels it as well.',
    auth: 'bearer',
    responses: { 204: { description: 'Cancelled: nothing changes' } },
    errors: ['recovery_not_found', 'service_unavailable'],
    handler: async (request) => {
      await recoveries.cancel(request.caller, originOf(request));
      return { status: 204 };
    },
  }),
];
