import { rememberedDeviceParams, rememberedDevicesResponse } from '../../contracts/remembered-device';
import type { RememberedDevices } from '../../identity/remembered-devices';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const COMMON = { tags: ['Second factors'], auth: 'bearer' } as const;

export const rememberedDeviceRoutes = (devices: Pick<RememberedDevices, 'list' | 'forget'>): Route[] => [
  defineRoute({
    ...COMMON,
    method: 'get',
    path: '/v1/auth/mfa/remembered-devices',
    operationId: 'listRememberedDevices',
    summary: 'The devices from which the caller logs in without a second factor',
    responses: { 200: { description: 'The last used first', schema: rememberedDevicesResponse } },
    errors: ['service_unavailable'],
    handler: async ({ caller }) => ({ status: 200, body: { devices: await devices.list(caller) } }),
  }),
  defineRoute({
    ...COMMON,
    method: 'delete',
    path: '/v1/auth/mfa/remembered-devices/:id',
    operationId: 'forgetRememberedDevice',
    summary: 'Ask this device for the second factor again',
    description: 'Sessions that it has opened go on; see `/v1/auth/sessions`.',
    params: rememberedDeviceParams,
    responses: { 204: { description: 'Forgotten' } },
    errors: ['device_not_found', 'service_unavailable'],
    handler: async (request) => {
      await devices.forget(request.caller, request.params.id, originOf(request));
      return { status: 204 };
    },
  }),
];
