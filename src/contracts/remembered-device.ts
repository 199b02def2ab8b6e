import { z } from 'zod';

import { instantSchema, uuidSchema } from './identity';
import { permissionsOf } from './permissions';
import { ROLES, tokensResponse } from './session';

/** Who acts on other people's accounts shows a second factor at every login: nobody with one of these roles is remembered. */
export const NEVER_REMEMBERED_ROLES = ROLES.filter((role) => permissionsOf([role]).length > 0);

/** Remembered devices of one account; another one takes the place of the one that was used longest ago. */
export const MAX_REMEMBERED_DEVICES = 20;

/** The answer to a second factor; with a token where its device is remembered from now on. */
export const loginMfaResponse = tokensResponse.extend({
  deviceToken: z
    .string()
    .optional()
    .meta({
      description:
        'Where `rememberDevice` was asked for and is allowed: sent as `X-Device-Token` with the next login from this device, it ' +
        'stands for the second factor. Shown now and never again; keep it as a password is kept',
      example: 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE',
    }),
  deviceTokenExpiresAt: instantSchema.optional(),
});
export type LoginMfaResponse = z.output<typeof loginMfaResponse>;

export const rememberedDeviceParams = z.strictObject({
  id: uuidSchema.meta({ description: 'Of the remembered device' }),
});
export const rememberedDevicesResponse = z.object({
  devices: z.array(
    z.object({
      id: uuidSchema,
      createdAt: instantSchema,
      lastUsedAt: instantSchema.meta({ description: 'Last login without a second factor, or when it was remembered' }),
      expiresAt: instantSchema,
      userAgent: z.string().meta({ description: 'Kind of browser and system', example: 'Firefox on Android' }),
      ip: z.string().meta({ description: 'Address of the login, masked', example: '196.188.12.*' }),
    }),
  ),
});
export type RememberedDevicesResponse = z.output<typeof rememberedDevicesResponse>;
