import {
  adminRecovery,
  approveRecoveryRequest,
  denyRecoveryRequest,
  recoveryListQuery,
  recoveryListResponse,
  recoveryParams,
} from '../../contracts/account-recovery';
import { STEP_UP_MAX_AGE_MS } from '../../contracts/mfa';
import type { RecoveryReviews } from '../../identity/recovery-reviews';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const COMMON = { tags: ['Administration'], auth: 'bearer', limit: 'admin' } as const;
const DECISION = {
  ...COMMON,
  method: 'post',
  permission: 'recoveries:approve',
  assurance: { acr: 'aal2', maxAgeMs: STEP_UP_MAX_AGE_MS },
  params: recoveryParams,
  errors: [
    'recovery_not_found',
    'recovery_closed',
    'user_not_found',
    'own_account',
    'forbidden',
    'service_unavailable',
  ],
} as const;
const RANK =
  'Only for accounts none of whose rights the caller lacks, and never for the own one. In the audit trail, refused ones too.';

const readRoutes = (reviews: RecoveryReviews): Route[] => [
  defineRoute({
    ...COMMON,
    method: 'get',
    path: '/v1/admin/recoveries',
    operationId: 'listRecoveries',
    summary: 'Account recoveries, the newest first',
    permission: 'recoveries:read',
    query: recoveryListQuery,
    responses: { 200: { description: 'A page', schema: recoveryListResponse } },
    errors: ['service_unavailable'],
    handler: async (request) => ({
      status: 200,
      body: await reviews.list(request.query, { caller: request.caller, origin: originOf(request) }),
    }),
  }),
  defineRoute({
    ...COMMON,
    method: 'get',
    path: '/v1/admin/recoveries/:id',
    operationId: 'getAdminRecovery',
    summary: 'One account recovery',
    permission: 'recoveries:read',
    params: recoveryParams,
    responses: { 200: { description: 'It, with its approvals', schema: adminRecovery } },
    errors: ['recovery_not_found', 'service_unavailable'],
    handler: async (request) => ({
      status: 200,
      body: await reviews.find(request.params.id, { caller: request.caller, origin: originOf(request) }),
    }),
  }),
];

export const adminRecoveryRoutes = (reviews: RecoveryReviews): Route[] => [
  ...readRoutes(reviews),
  defineRoute({
    ...DECISION,
    path: '/v1/admin/recoveries/:id/approve',
    operationId: 'approveRecovery',
    summary: 'Approve an account recovery, having made sure of who asks',
    description: `Before or after the end of the waiting period. An account with rights over others needs two approvers, one of them an administrator. ${RANK}`,
    body: approveRecoveryRequest,
    responses: { 204: { description: 'Approved by the caller' } },
    handler: async (request) => {
      const { evidence, note } = request.body;
      const { caller, repetitionId } = request;
      await reviews.decide(
        request.params.id,
        { act: 'approve', evidence, note },
        { caller, repetitionId, origin: originOf(request) },
      );
      return { status: 204 };
    },
  }),
  defineRoute({
    ...DECISION,
    path: '/v1/admin/recoveries/:id/deny',
    operationId: 'denyRecovery',
    summary: 'Deny an account recovery',
    description: `It ends; the owner is told. ${RANK}`,
    body: denyRecoveryRequest,
    responses: { 204: { description: 'Denied' } },
    handler: async (request) => {
      const { caller, repetitionId } = request;
      await reviews.decide(
        request.params.id,
        { act: 'deny', note: request.body.reason },
        { caller, repetitionId, origin: originOf(request) },
      );
      return { status: 204 };
    },
  }),
];
