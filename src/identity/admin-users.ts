import type { AdminUser, UserList, UserListQuery } from '../contracts/admin';
import type { AuditAction, AuditDetails, NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import { AppError, type ErrorCode } from '../contracts/errors';
import type { Permission } from '../contracts/permissions';
import type { Role } from '../contracts/session';
import type { Cursors } from '../crypto/cursor';
import type { AccountActs, AdminRepository, HeldAccount, HeldAccounts } from '../repositories/admin-repository';
import type { User, UserRepository } from '../repositories/user-repository';

import { checkAdminRemains, checkRank, checkRole } from './admin-rules';
import { readPage } from './page';
import type { ToUserResponse } from './users';

interface Dependencies {
  readonly accounts: AdminRepository;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly cursors: Cursors;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
  readonly toUserResponse: ToUserResponse;
}

/** Who acts, from where, on which account. */
export interface AdminAct {
  readonly caller: Caller;
  readonly origin: RequestOrigin;
  readonly userId: string;
}

/** @throws {AppError} all of them `user_not_found`, `own_account`, `forbidden`; nothing is changed then */
export interface AdminUsers {
  /** @throws {AppError} `validation_failed` (cursor) */
  list(query: UserListQuery, by: Omit<AdminAct, 'userId'>): Promise<UserList>;
  find(act: AdminAct): Promise<AdminUser>;
  /** Ends every session, too. @throws {AppError} `last_administrator`, `user_state_conflict` */
  lock(act: AdminAct, reason: string): Promise<void>;
  /** @throws {AppError} `user_state_conflict` */
  unlock(act: AdminAct, reason: string): Promise<void>;
  grant(act: AdminAct, role: Role): Promise<void>;
  /** @throws {AppError} `last_administrator` */
  revoke(act: AdminAct, role: Role): Promise<void>;
  /** @returns how many were ended */
  revokeSessions(act: AdminAct): Promise<number>;
}

/** Refusals that an auditor wants to see: somebody tried to go beyond their rights. */
const TELLING = new Set<ErrorCode>(['forbidden', 'own_account', 'last_administrator']);

/** Roles that wait for a second factor in the session of the act count for nothing. */
const withRolesInForce = (actor: HeldAccount, { roles }: Caller): HeldAccount => ({
  ...actor,
  roles: actor.roles.filter((role) => roles.includes(role)),
});

interface Step {
  readonly target: HeldAccount;
  readonly held: HeldAccounts;
  readonly acts: AccountActs;
}
/** What was changed, for the trail; undefined where there was nothing to change. */
type Work = (step: Step) => Promise<AuditDetails | undefined>;

export const createAdminUsers = (deps: Dependencies): AdminUsers => {
  const { accounts, users, cursors, recordAudit } = deps;
  const toAdminUser = (user: User): AdminUser => ({ ...deps.toUserResponse(user), status: user.status });

  /** Checks, acts and records in one transaction; a refusal that tells something is recorded after it. */
  const perform = async (act: AdminAct, action: AuditAction, permission: Permission, work: Work): Promise<void> => {
    const { caller, origin, userId } = act;
    const event = { action, actor: { kind: 'user', id: caller.userId }, subjectId: userId, origin } as const;
    try {
      await accounts.hold({ actorId: caller.userId, targetId: userId }, async (found, acts) => {
        const held = { ...found, actor: found.actor && withRolesInForce(found.actor, caller) };
        const target = checkRank(held, permission);
        const details = await work({ target, held, acts });
        if (details !== undefined) await acts.record({ ...event, details });
      });
    } catch (error) {
      if (error instanceof AppError && TELLING.has(error.code))
        await recordAudit({ ...event, outcome: 'denied', details: { code: error.code } });
      throw error;
    }
  };

  return {
    async list(query, { caller, origin }) {
      const load = (before: string | undefined, limit: number) => accounts.listUserIds({ ...query, limit }, before);
      const { entries: ids, nextCursor } = await readPage(cursors, 'users', query, load, (id) => id);
      const found = await Promise.all(ids.map((id) => users.findById(id)));
      // Which accounts were shown is what matters afterwards, not what was searched for.
      const details = { userIds: ids, byEmail: query.email !== undefined, byPhone: query.phone !== undefined };
      await recordAudit({ action: 'users.listed', actor: { kind: 'user', id: caller.userId }, origin, details });
      return { users: found.filter((user) => user !== undefined).map(toAdminUser), nextCursor };
    },

    async find({ caller, origin, userId }) {
      const user = await users.findById(userId);
      if (user === undefined) throw new AppError('user_not_found');
      const actor = { kind: 'user', id: caller.userId } as const;
      await recordAudit({ action: 'user.read', actor, subjectId: userId, origin });
      return toAdminUser(user);
    },

    lock: (act, reason) =>
      perform(act, 'user.locked', 'users:lock', async ({ target, held, acts }) => {
        if (target.status === 'LOCKED') return undefined;
        if (target.status !== 'ACTIVE') throw new AppError('user_state_conflict');
        checkAdminRemains(held);
        await acts.setStatus('LOCKED');
        return { reason, endedSessions: await acts.endSessions() };
      }),

    unlock: (act, reason) =>
      perform(act, 'user.unlocked', 'users:lock', async ({ target, acts }) => {
        if (target.status === 'ACTIVE') return undefined;
        if (target.status !== 'LOCKED') throw new AppError('user_state_conflict');
        await acts.setStatus('ACTIVE');
        return { reason };
      }),

    grant: (act, role) =>
      perform(act, 'role.granted', 'roles:write', async ({ target, held, acts }) => {
        checkRole(held, role);
        if (target.roles.includes(role)) return undefined;
        await acts.grant(role, act.caller.userId);
        return { role };
      }),

    revoke: (act, role) =>
      perform(act, 'role.revoked', 'roles:write', async ({ target, held, acts }) => {
        checkRole(held, role);
        if (!target.roles.includes(role)) return undefined;
        if (role === 'ADMIN') checkAdminRemains(held);
        await acts.revoke(role);
        return { role };
      }),

    async revokeSessions(act) {
      let ended = 0;
      await perform(act, 'user.sessions_revoked', 'sessions:revoke', async ({ acts }) => {
        ended = await acts.endSessions();
        return { endedSessions: ended };
      });
      return ended;
    },
  };
};
