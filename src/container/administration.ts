import type { Config } from '../config/sections';
import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { Permission } from '../contracts/permissions';
import { createCursors } from '../crypto/cursor';
import { deriveKey } from '../crypto/derive-key';
import { createAdminAudit } from '../identity/admin-audit';
import { createAdminUsers } from '../identity/admin-users';
import { createRecoveryReviews } from '../identity/recovery-reviews';
import { createAdminRepository } from '../repositories/admin-repository';
import { createAuditRepository } from '../repositories/audit-repository';
import { createAuditVerifier } from '../repositories/audit-verifier';

import type { WorkflowStarter } from '../temporal/workflow-starter';

import type { Data } from './data';

/** Records who was refused what. */
export const createOnDenied =
  (recordAudit: Data['recordAudit']) => (caller: Caller, permission: Permission, origin: RequestOrigin) => {
    const actor = { kind: 'user', id: caller.userId } as const;
    return recordAudit({ action: 'access.denied', outcome: 'denied', actor, origin, details: { permission } });
  };

/** What administrators and auditors do. */
export const buildAdministration = (
  data: Data,
  { app, security }: Config<'app' | 'security'>,
  starter: WorkflowStarter,
) => {
  const { database, ciphers, blindIndex, audit, recordAudit, users, toUserResponse } = data;
  const cursors = createCursors(deriveKey(security.tokenKey, 'cursor'));
  const accounts = createAdminRepository({ database, blindIndex, audit });
  const verify = createAuditVerifier(database, data.auditSeal);
  const events = createAuditRepository(database, ciphers.audit);
  // Half of the request's time: the last batch and the answer need some.
  const verifyBudgetMs = app.requestTimeoutMs / 2;
  return {
    services: {
      adminUsers: createAdminUsers({ accounts, users, cursors, recordAudit, toUserResponse }),
      recoveryReviews: createRecoveryReviews({ ...data, cursors, starter }),
      adminAudit: createAdminAudit({ events, verify, cursors, recordAudit, verifyBudgetMs }),
    },
    onDenied: createOnDenied(recordAudit),
  };
};
