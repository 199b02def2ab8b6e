import { z } from 'zod';

import { AUDIT_ACTIONS, AUDIT_ACTOR_KINDS, AUDIT_OUTCOMES } from './audit';
import { emailSchema, instantSchema, phoneSchema, uuidSchema } from './identity';
import { ROLES, userResponse } from './session';
import { boundedText, cleanText, THREE_OR_MORE } from './text';

export const USER_STATUSES = ['ACTIVE', 'LOCKED', 'ERASURE_PENDING', 'ERASED'] as const;

export const userParams = z.strictObject({ id: uuidSchema.meta({ description: 'Of the account' }) });
export const userRoleParams = z.strictObject({
  id: uuidSchema.meta({ description: 'Of the account' }),
  role: z.enum(ROLES).meta({ description: 'The role' }),
});

const EXAMPLE_CURSOR = 'MjAyNi0xMS0yNFQxMDowMDowMC4wMDBa.Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE';
export const pageQuery = {
  cursor: boundedText(0, 512).optional().meta({
    description: '`nextCursor` of the page before; it works with the same filters only',
    example: EXAMPLE_CURSOR,
  }),
  limit: z.coerce.number().int().min(1).max(100).default(50).meta({ description: 'Entries of a page', example: 50 }),
};
export const nextCursor = z
  .string()
  .nullable()
  .meta({ description: 'Of the next page; null on the last one', example: EXAMPLE_CURSOR });

/** The newest account first. */
export const userListQuery = z.strictObject({
  email: emailSchema.optional().meta({ description: 'Exactly this address', example: 'abebe@example.et' }),
  phone: phoneSchema.optional().meta({ description: 'Exactly this number', example: '+251911234567' }),
  status: z.enum(USER_STATUSES).optional().meta({ description: 'Only those in this state' }),
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
    .meta({ pattern: THREE_OR_MORE })
    .transform((value) => value.trim())
    .pipe(boundedText(3, 200))
    .meta({ description: 'Why, for the audit trail; without personal data', example: 'reported stolen phone' }),
});
export const roleRequest = z.strictObject({ role: z.enum(ROLES) });
export const revokedResponse = z.object({
  ended: z.int().meta({ description: 'Sessions that were ended', example: 2 }),
});

const sequenceSchema = z
  .string()
  .regex(/^\d{1,18}$/, 'must be the number of an event')
  .meta({ description: 'Number of an event in the trail', example: '4711' });

/** The newest event first. */
export const auditQuery = z.strictObject({
  actorId: uuidSchema.optional().meta({ description: 'Account that did it' }),
  subjectId: uuidSchema.optional().meta({ description: 'Account that it was done to' }),
  action: z.enum(AUDIT_ACTIONS).optional().meta({ description: 'What was done' }),
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
  action: z.string().meta({ description: 'What was done', example: 'session.opened' }),
  outcome: z.enum(AUDIT_OUTCOMES),
  actor: z.object({ kind: z.enum(AUDIT_ACTOR_KINDS), id: uuidSchema.nullable() }),
  subjectId: uuidSchema.nullable(),
  requestId: z.string().nullable().meta({ example: '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11' }),
  workflowId: z.string().nullable().meta({ example: 'registration-019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11' }),
  ip: z.string().nullable().meta({ description: 'Address of the client', example: '196.188.12.7' }),
  userAgent: z.string().nullable().meta({ example: 'Mozilla/5.0 (Android 15; Mobile; rv:143.0) Firefox/143.0' }),
  callingService: z
    .string()
    .nullable()
    .meta({ description: 'The service that called over gRPC for the client', example: 'orders' }),
  details: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: 'Ids, names and counts', example: { reason: 'logout' } }),
});
export type StoredAuditEvent = z.output<typeof auditEventResponse>;
export const auditListResponse = z.object({ events: z.array(auditEventResponse), nextCursor });
export type AuditList = z.output<typeof auditListResponse>;

export const auditVerifyQuery = z.strictObject({
  after: sequenceSchema
    .default('0')
    .meta({ description: 'Number of an event that is taken for granted; the check starts behind it' }),
});
const chainEnd = z.object({
  sequence: sequenceSchema,
  hash: z.string().meta({ example: 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE' }),
});
export const auditVerification = z.object({
  valid: z.boolean(),
  checked: z.int().meta({ description: 'Events that were checked', example: 4711 }),
  last: chainEnd.meta({
    description: 'The last event that was checked. Keep it elsewhere: it proves the trail up to here',
  }),
  complete: z.boolean().meta({ description: 'False where the time was up: go on with `after`' }),
  defect: z.object({ kind: z.string().meta({ example: 'seal' }), sequence: sequenceSchema }).optional(),
});
