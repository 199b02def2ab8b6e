import { z } from 'zod';

const deviceId = z.string().optional().meta({
  description:
    'Chosen by the client, the same for all logins from one device: 8 to 128 letters, digits, `.`, `_`, `-`; as if it were not sent else',
  example: 'b7f3b3c2-4c7c-4f0e-9a53-1d6f6a1c8f11',
});

/** What a login knows its device by; for the document. */
export const deviceHeaders = z.object({ 'X-Device-Id': deviceId });

/** And what the account remembers it by. */
export const rememberedDeviceHeaders = deviceHeaders.extend({
  'X-Device-Token': z.string().optional().meta({
    description: 'Of a device that the account remembers: stands for the second factor. Keep it as a password is kept',
    example: 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE',
  }),
});
