import { z } from 'zod';

import { AUDIT_ACTIONS, AUDIT_ACTOR_KINDS, AUDIT_OUTCOMES } from './audit';
import { emailSchema, instantSchema, phoneSchema, uuidSchema } from './identity';
import { ROLES, userResponse } from './session';
import { cleanText } from './text';

export const USER_STATUSES = ['ACTIVE', 'LOCKED', 'ERASURE_PENDING', 'ERASED'] as const;

export const userParams = z.strictObject({ id: uuidSchema });
export const userRoleParams = z.strictObject({ id: uuidSchema, role: z.enum(ROLES) });

const cursorSchema = z
  .string()
  .max(512)
  .meta({ description: '`nextCursor` of the page before; it works with the same filters only' });
export const pageQuery = {
  cursor: cursorSchema.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50).meta({ description: 'Entries of a page', example: 50 }),
};
export const nextCursor = z.string().nullable().meta({ description: 'Of the next page; null on the last one' });

/** The newest account first. */
export const userListQuery = z.strictObject({
  email: emailSchema.optional(),
  phone: phoneSchema.optional(),
  status: z.enum(USER_STATUSES).optional(),
  ...pageQuery,
});
export type UserListQuery = z.output<typeof userListQuery>;

export const adminUserResponse = userResponse.extend({ status: z.enum(USER_STATUSES) });
export type AdminUser = z.output<typeof adminUserResponse>;
export const userListResponse = z.object({ users: z.array(adminUserResponse), nextCursor });
export type UserList = z.output<typeof userListResponse>;

/** Why an act was done; kept in the audit trail as it is, so no personal data belongs here. */
export const reasonRequest = z.strictObject({
  reason: cleanText(200)
    .transform((value) => value.trim())
    .pipe(z.string().min(3))
    .meta({ description: 'Why, for the audit trail; without personal data', example: 'reported stolen phone' }),
});
export const roleRequest = z.strictObject({ role: z.enum(ROLES) });
export const revokedResponse = z.object({ ended: z.int().meta({ description: 'Sessions that were ended' }) });

const sequenceSchema = z.string().regex(/^\d{1,18}$/, 'must be the number of an event');

/** The newest event first. */
export const auditQuery = z.strictObject({
  actorId: uuidSchema.optional(),
  subjectId: uuidSchema.optional(),
  action: z.enum(AUDIT_ACTIONS).optional(),
  from: instantSchema.optional().meta({ description: 'Not before' }),
  to: instantSchema.optional().meta({ description: 'Before' }),
  ...pageQuery,
});
export type AuditQuery = z.output<typeof auditQuery>;

export const auditEventResponse = z.object({
  sequence: sequenceSchema,
  id: uuidSchema,
  occurredAt: instantSchema,
  // As stored: an event outlives the list of actions.
  action: z.string(),
  outcome: z.enum(AUDIT_OUTCOMES),
  actor: z.object({ kind: z.enum(AUDIT_ACTOR_KINDS), id: uuidSchema.nullable() }),
  subjectId: uuidSchema.nullable(),
  requestId: z.string().nullable(),
  workflowId: z.string().nullable(),
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
  details: z.record(z.string(), z.unknown()).nullable(),
});
export type StoredAuditEvent = z.output<typeof auditEventResponse>;
export const auditListResponse = z.object({ events: z.array(auditEventResponse), nextCursor });
export type AuditList = z.output<typeof auditListResponse>;

export const auditVerifyQuery = z.strictObject({
  after: sequenceSchema
    .default('0')
    .meta({ description: 'Number of an event that is taken for granted; the check starts behind it' }),
});
const chainEnd = z.object({ sequence: sequenceSchema, hash: z.string() });
export const auditVerification = z.object({
  valid: z.boolean(),
  checked: z.int().meta({ description: 'Events that were checked' }),
  last: chainEnd.meta({
    description: 'The last event that was checked. Keep it elsewhere: it proves the trail up to here',
  }),
  complete: z.boolean().meta({ description: 'False where the time was up: go on with `after`' }),
  defect: z.object({ kind: z.string(), sequence: sequenceSchema }).optional(),
});
