import { z } from 'zod';

import { localeSchema, nameSchema } from './identity';

/** What is left out stays as it is; `null` clears a name. The rules are those of a registration. */
export const updateProfileRequest = z.strictObject({
  firstName: nameSchema.nullable().optional(),
  lastName: nameSchema.nullable().optional(),
  locale: localeSchema.optional(),
});
export type UpdateProfileRequest = z.output<typeof updateProfileRequest>;
