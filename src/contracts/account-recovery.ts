import { z } from 'zod';

import { instantSchema, passwordAttemptSchema, uuidSchema } from './identity';
import { mfaTokenSchema } from './mfa';
import { pageQuery, nextCursor, reasonRequest } from './admin';
import { permissionsOf } from './permissions';
import type { Role } from './session';
import { cleanText, secretText } from './text';

export const RECOVERY_STATUSES = ['waiting', 'ready', 'completed', 'cancelled', 'denied', 'expired'] as const;
export type RecoveryStatus = (typeof RECOVERY_STATUSES)[number];

/** Who or what has ended a recovery. */
export const RECOVERY_ENDINGS = ['owner', 'link', 'session', 'second_factor', 'password', 'staff', 'time'] as const;
export type RecoveryEnding = (typeof RECOVERY_ENDINGS)[number];

/** How support has made sure of who asks. */
export const RECOVERY_EVIDENCE = [
  'fayda_in_person',
  'fayda_online',
  'video_call',
  'branch_visit',
  'known_contact',
] as const;
export type RecoveryEvidence = (typeof RECOVERY_EVIDENCE)[number];

const HOUR_MS = 3_600_000;
/**
 * Who ended without success waits before the next one, by how many there were: whoever knows the password can begin one, and its
 * notices must not become a nuisance. Counted over 30 days, and anew with another password.
 */
export const RECOVERY_PAUSES_MS = [0, 24 * HOUR_MS, 7 * 24 * HOUR_MS, 30 * 24 * HOUR_MS] as const;
export const RECOVERY_COUNT_WINDOW_MS = 30 * 24 * HOUR_MS;

/** One approver; for an account with rights over others two, an administrator among them (four eyes). */
export const approvalsNeeded = (roles: readonly Role[]): number => (permissionsOf(roles).length > 0 ? 2 : 1);
export const isApproved = (roles: readonly Role[], approvals: readonly { readonly isAdmin: boolean }[]): boolean => {
  const needed = approvalsNeeded(roles);
  return approvals.length >= needed && (needed === 1 || approvals.some(({ isAdmin }) => isAdmin));
};

/** 256 bits in base64url. Any other text is a token that does not work, so the answer is the same. */
const recoveryTokenSchema = secretText(1, 128).meta({
  description: 'The token of the mailed link',
  example: 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE',
});

export const startRecoveryRequest = z.strictObject({ mfaToken: mfaTokenSchema });
export const cancelRecoveryRequest = z.strictObject({ token: recoveryTokenSchema });
export const completeRecoveryRequest = z.strictObject({ token: recoveryTokenSchema, password: passwordAttemptSchema });
export type CompleteRecoveryRequest = z.output<typeof completeRecoveryRequest>;

export const recoveryResponse = z.object({
  recoveryId: uuidSchema,
  status: z.enum(RECOVERY_STATUSES),
  availableAt: instantSchema.meta({ description: 'End of the waiting period; it also needs the approval of support' }),
});
export type RecoveryResponse = z.output<typeof recoveryResponse>;

export const recoveryParams = z.strictObject({ id: uuidSchema.meta({ description: 'Of the recovery' }) });
export const recoveryListQuery = z.strictObject({
  status: z.enum(RECOVERY_STATUSES).optional().meta({ description: 'Only those in this state' }),
  ...pageQuery,
});
export type RecoveryListQuery = z.output<typeof recoveryListQuery>;
export const approveRecoveryRequest = z.strictObject({
  evidence: z.enum(RECOVERY_EVIDENCE),
  note: cleanText(200)
    .meta({ description: 'For the audit trail; without personal data', example: 'case 4711' })
    .optional(),
});
export const denyRecoveryRequest = reasonRequest;

export const adminRecovery = recoveryResponse.extend({
  userId: uuidSchema,
  requestedAt: instantSchema,
  closedAt: instantSchema.nullable(),
  closedBy: z.enum(RECOVERY_ENDINGS).nullable(),
  userAgent: z.string().meta({ description: 'Kind of browser and system that asked', example: 'Firefox on Android' }),
  ip: z.string().meta({ description: 'Address that asked, masked', example: '196.188.12.*' }),
  approvalsNeeded: z.int().meta({
    description: 'Two for an account with rights over others, one of an administrator',
    example: 1,
  }),
  approvals: z.array(
    z.object({ approverId: uuidSchema, evidence: z.enum(RECOVERY_EVIDENCE), approvedAt: instantSchema }),
  ),
});
export type AdminRecovery = z.output<typeof adminRecovery>;
export const recoveryListResponse = z.object({ recoveries: z.array(adminRecovery), nextCursor });
export type RecoveryList = z.output<typeof recoveryListResponse>;
