import type { UserResponse } from '../contracts/session';
import type { User } from '../repositories/user-repository';

const VISIBLE_FAYDA_DIGITS = 4;

/** An account as its owner may see it: the Fayda ID only ever masked. */
export const toUserResponse = (user: User): UserResponse => ({
  id: user.id,
  email: user.email,
  emailVerified: true,
  phone: user.phone,
  faydaId: user.faydaId === null ? null : user.faydaId.slice(-VISIBLE_FAYDA_DIGITS).padStart(user.faydaId.length, '*'),
  firstName: user.firstName,
  lastName: user.lastName,
  locale: user.locale,
  roles: [...user.roles],
  createdAt: user.createdAt.toISOString(),
});
