import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';
import type { RestrictedAct, Restriction } from '../contracts/session';
import type { SecurityConfig } from '../config/security.config';
import type { User, UserRepository } from '../repositories/user-repository';

interface Dependencies {
  readonly users: Pick<UserRepository, 'findById'>;
  readonly holds: SecurityConfig['holds'];
}

export interface Restrictions {
  /** Until when each kind of act has to wait; empty where nothing has to. */
  of(user: Pick<User, 'phoneChangedAt'>): Restriction[];
  /** @throws {AppError} `cooling_off` */
  readonly checkHighRisk: (caller: Caller) => Promise<void>;
}

/**
 * What an account may not do for a while after it got another phone: whoever took the number over (SIM swap) could do it in the
 * owner's name, and the owner needs time to notice. A change or reset of the password is never held: an owner under attack needs it.
 */
export const createRestrictions = ({ users, holds }: Dependencies): Restrictions => {
  const times: readonly (readonly [RestrictedAct, number])[] = [
    ['high_risk', holds.highRiskMs],
    ['payout', holds.payoutMs],
  ];
  const of = ({ phoneChangedAt }: Pick<User, 'phoneChangedAt'>): Restriction[] =>
    phoneChangedAt === null
      ? []
      : times
          .map(([act, holdMs]) => ({ act, until: new Date(phoneChangedAt.getTime() + holdMs) }))
          .filter(({ until }) => until > new Date())
          .map(({ act, until }) => ({ act, until: until.toISOString() }));

  return {
    of,
    async checkHighRisk({ userId }) {
      const user = await users.findById(userId);
      const hold = user && of(user).find(({ act }) => act === 'high_risk');
      if (hold === undefined) return;
      const waitMs = Date.parse(hold.until) - Date.now();
      throw new AppError('cooling_off', { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) });
    },
  };
};
