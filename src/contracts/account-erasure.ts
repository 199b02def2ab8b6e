import { z } from 'zod';

import { instantSchema } from './identity';

export const erasureResponse = z.object({
  status: z.enum(['pending', 'cancelled']),
  requestedAt: instantSchema,
  eraseAt: instantSchema.meta({
    description: 'The account and all that it holds is erased then; it can be restored until then',
  }),
});
export type ErasureResponse = z.output<typeof erasureResponse>;
