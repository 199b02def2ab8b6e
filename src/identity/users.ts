import type { UserResponse } from '../contracts/session';
import type { User } from '../repositories/user-repository';

import type { Restrictions } from './restrictions';

const VISIBLE_FAYDA_DIGITS = 4;

/** An account as its owner may see it: the Fayda ID only ever masked. */
export type ToUserResponse = (user: User) => UserResponse;

export const createToUserResponse =
  (restrictions: Pick<Restrictions, 'of'>): ToUserResponse =>
  (user) => ({
    id: user.id,
    email: user.email,
    emailVerified: true,
    phone: user.phone,
    phoneVerified: user.phone !== null && user.phoneVerifiedAt !== null,
    faydaId:
      user.faydaId === null ? null : user.faydaId.slice(-VISIBLE_FAYDA_DIGITS).padStart(user.faydaId.length, '*'),
    firstName: user.firstName,
    lastName: user.lastName,
    locale: user.locale,
    roles: [...user.roles],
    restrictions: restrictions.of(user),
    createdAt: user.createdAt.toISOString(),
  });
