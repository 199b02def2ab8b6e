import { erasureResponse } from '../../contracts/account-erasure';
import type { AccountErasures } from '../../identity/account-erasures';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Users'];

export const accountErasureRoutes = (erasures: AccountErasures): Route[] => [
  defineRoute({
    method: 'delete',
    path: '/v1/users/me',
    operationId: 'eraseMe',
    summary: 'Have the account erased, after a grace of 14 days',
    description:
      'Until `eraseAt` everything goes on, and the owner can take it back (`/v1/users/me/restore`). Then the account is closed, every ' +
      'session ends, and all that it holds is erased for good. The owner is told by mail at the beginning, three days before the end, ' +
      'and at the end. Needs a login of the last 15 minutes (`reauthentication_required`), or, where a second factor is on, one that ' +
      'was shown in the last 10 (`step_up_required`). Asked for again it stays as it is.',
    tags: TAGS,
    auth: 'bearer',
    limit: 'credentials',
    highRisk: true,
    responses: { 202: { description: 'It will be erased', schema: erasureResponse } },
    errors: ['reauthentication_required', 'step_up_required', 'last_administrator', 'service_unavailable'],
    handler: async (request) => ({
      status: 202,
      body: await erasures.request(request.caller, { origin: originOf(request), repetitionId: request.repetitionId }),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/v1/users/me/erasure',
    operationId: 'getErasure',
    summary: 'Whether the account is to be erased, and when',
    tags: TAGS,
    auth: 'bearer',
    limit: 'read',
    responses: { 200: { description: 'It will be erased', schema: erasureResponse } },
    errors: ['erasure_not_found', 'service_unavailable'],
    handler: async ({ caller }) => ({ status: 200, body: await erasures.find(caller) }),
  }),
  defineRoute({
    method: 'post',
    path: '/v1/users/me/restore',
    operationId: 'restoreMe',
    summary: 'Take the erasure of the account back',
    description: 'Possible until `eraseAt`; nothing has changed then. `erasure_not_found` where none was asked for.',
    tags: TAGS,
    auth: 'bearer',
    limit: 'session',
    responses: { 202: { description: 'The account stays', schema: erasureResponse } },
    errors: ['erasure_not_found', 'service_unavailable'],
    handler: async (request) => ({ status: 202, body: await erasures.restore(request.caller, originOf(request)) }),
  }),
];
