import { z } from 'zod';

import { instantSchema, uuidSchema } from './identity';

/** Of one account within a day. */
export const EXPORTS_PER_DAY = 3;

export const exportParams = z.strictObject({ id: uuidSchema.meta({ description: 'Of the export' }) });
export const exportResponse = z.object({
  exportId: uuidSchema,
  status: z.enum(['pending', 'ready', 'expired']),
  requestedAt: instantSchema,
  expiresAt: instantSchema
    .nullable()
    .meta({ description: 'It can be downloaded until then; `null` while it is being made' }),
});
export type ExportResponse = z.output<typeof exportResponse>;

const rows = z.array(z.record(z.string(), z.unknown()));
/** Everything that the service holds about a person; no secrets, which are the account's protection. */
export const exportContent = z.object({
  generatedAt: instantSchema,
  profile: rows,
  roles: rows,
  registrations: rows,
  consents: rows,
  password: rows,
  factors: rows,
  passkeys: rows,
  recoveryCodes: rows,
  sessions: rows,
  knownDevices: rows,
  rememberedDevices: rows,
  contactChanges: rows,
  passwordResets: rows,
  enrollments: rows,
  accountRecoveries: rows,
  erasures: rows,
  exports: rows,
  messages: rows,
  events: rows,
});
export type ExportContent = z.output<typeof exportContent>;
export type ExportSection = Exclude<keyof ExportContent, 'generatedAt'>;
