import type { AuditList, AuditQuery } from '../contracts/admin';
import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { Cursors } from '../crypto/cursor';
import type { AuditRepository } from '../repositories/audit-repository';
import type { AuditVerification, AuditVerifier } from '../repositories/audit-verifier';

import { readPage } from './page';

interface Dependencies {
  readonly events: AuditRepository;
  readonly verify: AuditVerifier;
  readonly cursors: Cursors;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
  /** How long one verification may take, milliseconds; it says where to go on. */
  readonly verifyBudgetMs: number;
}

interface Auditor {
  readonly caller: Caller;
  readonly origin: RequestOrigin;
}

/** Reading the trail is recorded in it. */
export interface AdminAudit {
  /** @throws {AppError} `validation_failed` (cursor) */
  list(query: AuditQuery, by: Auditor): Promise<AuditList>;
  verify(after: bigint, by: Auditor): Promise<AuditVerification>;
}

export const createAdminAudit = (deps: Dependencies): AdminAudit => {
  const { events, verify, cursors, recordAudit, verifyBudgetMs } = deps;
  return {
    async list(query, { caller, origin }) {
      const load = (before: string | undefined, limit: number) => events.list({ ...query, limit }, before);
      const { entries, nextCursor } = await readPage(cursors, 'audit-events', query, load, ({ sequence }) => sequence);
      const actor = { kind: 'user', id: caller.userId } as const;
      const details = { events: entries.length };
      await recordAudit({ action: 'audit.read', actor, subjectId: query.subjectId, origin, details });
      return { events: [...entries], nextCursor };
    },

    async verify(after, { caller, origin }) {
      const result = await verify({ after, budgetMs: verifyBudgetMs });
      const actor = { kind: 'user', id: caller.userId } as const;
      const details = { valid: result.valid, checked: result.checked, last: String(result.last.sequence) };
      await recordAudit({ action: 'audit.verified', actor, origin, details });
      return result;
    },
  };
};
