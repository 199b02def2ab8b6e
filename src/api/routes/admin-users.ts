import {
  adminUserResponse,
  reasonRequest,
  revokedResponse,
  roleRequest,
  userListQuery,
  userListResponse,
  userParams,
  userRoleParams,
} from '../../contracts/admin';
import type { Caller } from '../../contracts/caller';
import type { AdminAct, AdminUsers } from '../../identity/admin-users';
import { originOf } from '../origin';
import { defineRoute, type Route, type RouteRequest } from '../route';

const COMMON = { tags: ['Administration'], auth: 'bearer', limit: 'admin' } as const;
const READ_ERRORS = ['service_unavailable'] as const;
const ACT_ERRORS = ['user_not_found', 'own_account', 'forbidden', 'service_unavailable'] as const;
const RANK =
  'Only for accounts none of whose rights the caller lacks, and never for the own one. Every act is in the audit trail; ' +
  'what is so already is left as it is.';

const actOf = (request: RouteRequest<{ id: string }, unknown, unknown, Caller>): AdminAct => ({
  caller: request.caller,
  origin: originOf(request),
  userId: request.params.id,
});

const readRoutes = (users: AdminUsers): Route[] => [
  defineRoute({
    ...COMMON,
    method: 'get',
    path: '/v1/admin/users',
    operationId: 'listUsers',
    summary: 'Accounts, the newest first',
    description: 'An address or phone number finds exactly its account.',
    permission: 'users:read',
    query: userListQuery,
    responses: { 200: { description: 'A page', schema: userListResponse } },
    errors: READ_ERRORS,
    handler: async (request) => ({
      status: 200,
      body: await users.list(request.query, { caller: request.caller, origin: originOf(request) }),
    }),
  }),
  defineRoute({
    ...COMMON,
    method: 'get',
    path: '/v1/admin/users/:id',
    operationId: 'getUser',
    summary: 'One account',
    permission: 'users:read',
    params: userParams,
    responses: { 200: { description: 'The account; the Fayda ID masked', schema: adminUserResponse } },
    errors: [...READ_ERRORS, 'user_not_found'],
    handler: async (request) => ({ status: 200, body: await users.find(actOf(request)) }),
  }),
];

const lockRoutes = (users: AdminUsers): Route[] => [
  defineRoute({
    ...COMMON,
    method: 'post',
    path: '/v1/admin/users/:id/lock',
    operationId: 'lockUser',
    summary: 'Lock an account and end its sessions',
    description: `Its owner can neither log in nor go on. ${RANK}`,
    permission: 'users:lock',
    params: userParams,
    body: reasonRequest,
    responses: { 204: { description: 'Locked' } },
    errors: [...ACT_ERRORS, 'last_administrator', 'user_state_conflict'],
    handler: async (request) => {
      await users.lock(actOf(request), request.body.reason);
      return { status: 204 };
    },
  }),
  defineRoute({
    ...COMMON,
    method: 'post',
    path: '/v1/admin/users/:id/unlock',
    operationId: 'unlockUser',
    summary: 'Unlock an account',
    description: RANK,
    permission: 'users:lock',
    params: userParams,
    body: reasonRequest,
    responses: { 204: { description: 'Active again' } },
    errors: [...ACT_ERRORS, 'user_state_conflict'],
    handler: async (request) => {
      await users.unlock(actOf(request), request.body.reason);
      return { status: 204 };
    },
  }),
  defineRoute({
    ...COMMON,
    method: 'post',
    path: '/v1/admin/users/:id/sessions/revoke',
    operationId: 'revokeUserSessions',
    summary: 'End every session of an account',
    description: `Its access tokens stop working at once. ${RANK}`,
    permission: 'sessions:revoke',
    params: userParams,
    responses: { 200: { description: 'Ended', schema: revokedResponse } },
    errors: ACT_ERRORS,
    handler: async (request) => ({ status: 200, body: { ended: await users.revokeSessions(actOf(request)) } }),
  }),
];

const roleRoutes = (users: AdminUsers): Route[] => [
  defineRoute({
    ...COMMON,
    method: 'post',
    path: '/v1/admin/users/:id/roles',
    operationId: 'grantRole',
    summary: 'Give an account a role',
    description: `It counts from the next request on. ${RANK}`,
    permission: 'roles:write',
    params: userParams,
    body: roleRequest,
    responses: { 204: { description: 'It has the role' } },
    errors: ACT_ERRORS,
    handler: async (request) => {
      await users.grant(actOf(request), request.body.role);
      return { status: 204 };
    },
  }),
  defineRoute({
    ...COMMON,
    method: 'delete',
    path: '/v1/admin/users/:id/roles/:role',
    operationId: 'revokeRole',
    summary: 'Take a role from an account',
    description: `It counts from the next request on. ${RANK}`,
    permission: 'roles:write',
    params: userRoleParams,
    responses: { 204: { description: 'It does not have the role' } },
    errors: [...ACT_ERRORS, 'last_administrator'],
    handler: async (request) => {
      await users.revoke(actOf(request), request.params.role);
      return { status: 204 };
    },
  }),
];

export const adminUserRoutes = (users: AdminUsers): Route[] => [
  ...readRoutes(users),
  ...lockRoutes(users),
  ...roleRoutes(users),
];
