import { exportContent, exportParams, exportResponse } from '../../contracts/data-export';
import type { DataExports } from '../../identity/data-exports';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Users'];
const PROOF =
  'Needs a login of the last 15 minutes (`reauthentication_required`), or, where a second factor is on, one that was shown in the ' +
  'last 10 (`step_up_required`).';

export const dataExportRoutes = (exports: DataExports): Route[] => [
  defineRoute({
    method: 'post',
    path: '/v1/users/me/exports',
    operationId: 'requestExport',
    summary: 'Ask for a copy of all that is held about the caller',
    description: `One at a time, three a day; the owner is told by mail when it is ready. ${PROOF}`,
    tags: TAGS,
    auth: 'bearer',
    limit: 'credentials',
    highRisk: true,
    responses: { 202: { description: 'It is being made', schema: exportResponse } },
    errors: ['reauthentication_required', 'step_up_required', 'export_limit_reached', 'service_unavailable'],
    handler: async (request) => ({
      status: 202,
      body: await exports.request(request.caller, { origin: originOf(request), repetitionId: request.repetitionId }),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/v1/users/me/exports/:id',
    operationId: 'getExport',
    summary: 'Whether the copy is ready',
    tags: TAGS,
    auth: 'bearer',
    limit: 'read',
    params: exportParams,
    responses: { 200: { description: 'Where it stands', schema: exportResponse } },
    errors: ['export_not_found', 'service_unavailable'],
    handler: async ({ caller, params }) => ({ status: 200, body: await exports.find(caller, params.id) }),
  }),
  defineRoute({
    method: 'get',
    path: '/v1/users/me/exports/:id/content',
    operationId: 'downloadExport',
    summary: 'The copy itself',
    description: `Until it expires; every download is recorded. No secrets, which protect the account. ${PROOF}`,
    tags: TAGS,
    auth: 'bearer',
    limit: 'credentials',
    highRisk: true,
    params: exportParams,
    responses: {
      200: {
        description: 'All that is held',
        schema: exportContent,
        headers: { 'Content-Disposition': 'Makes browsers save it' },
      },
    },
    errors: [
      ...(['reauthentication_required', 'step_up_required', 'export_not_found', 'export_not_ready'] as const),
      ...(['export_expired', 'service_unavailable'] as const),
    ],
    handler: async (request) => ({
      status: 200,
      body: await exports.download(request.caller, request.params.id, originOf(request)),
      headers: { 'Content-Disposition': 'attachment; filename="meqenet-data.json"' },
    }),
  }),
];
