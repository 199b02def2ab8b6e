import { AppError } from '../contracts/errors';
import { coversRights, isAllowed, type Permission } from '../contracts/permissions';
import type { Role } from '../contracts/session';
import type { HeldAccount, HeldAccounts } from '../repositories/admin-repository';

/**
 * Who may act on whose account: not on one's own, and only where the actor holds every right that the account has, so that
 * nobody gains a right by way of somebody else. The actor's roles are those of now, not of the start of the request.
 *
 * @returns the account acted on
 * @throws {AppError} `user_not_found`, `own_account`, `forbidden`
 */
export const checkRank = ({ actor, target }: HeldAccounts, permission: Permission): HeldAccount => {
  if (target === undefined) throw new AppError('user_not_found');
  if (actor?.id === target.id) throw new AppError('own_account');
  const mayAct = actor?.status === 'ACTIVE' && isAllowed(actor.roles, permission);
  if (!mayAct || !coversRights(actor.roles, target.roles)) throw new AppError('forbidden');
  return target;
};

/** Nobody gives or takes a role whose rights they do not hold. @throws {AppError} `forbidden` */
export const checkRole = ({ actor }: HeldAccounts, role: Role): void => {
  if (!coversRights(actor?.roles ?? [], [role])) throw new AppError('forbidden');
};

/** @throws {AppError} `last_administrator` where nobody could undo what is about to be done */
export const checkAdminRemains = ({ target, otherAdmins }: HeldAccounts): void => {
  if (target?.status === 'ACTIVE' && target.roles.includes('ADMIN') && otherAdmins === 0)
    throw new AppError('last_administrator');
};
