import { auditListResponse, auditQuery, auditVerification, auditVerifyQuery } from '../../contracts/admin';
import type { AdminAudit } from '../../identity/admin-audit';
import type { AuditVerification } from '../../repositories/audit-verifier';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const COMMON = { tags: ['Administration'], auth: 'bearer', permission: 'audit:read' } as const;

/** Numbers of 64 bits are text in JSON. */
const toAnswer = ({ valid, checked, complete, last, defect }: AuditVerification) => ({
  ...{ valid, checked, complete },
  last: { ...last, sequence: String(last.sequence) },
  ...(defect !== undefined && { defect: { ...defect, sequence: String(defect.sequence) } }),
});

export const adminAuditRoutes = (audit: AdminAudit): Route[] => [
  defineRoute({
    ...COMMON,
    method: 'get',
    path: '/v1/admin/audit-events',
    operationId: 'listAuditEvents',
    summary: 'The audit trail, the newest event first',
    description: 'Reading it is an event, too.',
    query: auditQuery,
    responses: { 200: { description: 'A page', schema: auditListResponse } },
    errors: ['service_unavailable'],
    handler: async (request) => ({
      status: 200,
      body: await audit.list(request.query, { caller: request.caller, origin: originOf(request) }),
    }),
  }),
  defineRoute({
    ...COMMON,
    method: 'get',
    path: '/v1/admin/audit-events/verify',
    operationId: 'verifyAuditEvents',
    summary: 'Whether the audit trail is whole',
    description:
      'Checks seals and hash chain, event by event, for some seconds at most: `npm run audit:verify` takes the time it needs. ' +
      'The first defect ends the check.',
    query: auditVerifyQuery,
    responses: { 200: { description: 'What was found', schema: auditVerification } },
    errors: ['service_unavailable'],
    handler: async (request) => {
      const by = { caller: request.caller, origin: originOf(request) };
      return { status: 200, body: toAnswer(await audit.verify(BigInt(request.query.after), by)) };
    },
  }),
];
