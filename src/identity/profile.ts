import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';
import type { UpdateProfileRequest } from '../contracts/profile';
import type { UserResponse } from '../contracts/session';
import type { ProfileChanges, ProfileRepository } from '../repositories/profile-repository';
import type { User, UserRepository } from '../repositories/user-repository';

import type { ToUserResponse } from './users';

interface Dependencies {
  readonly users: Pick<UserRepository, 'findById'>;
  readonly profiles: ProfileRepository;
  readonly toUserResponse: ToUserResponse;
}

/** @throws {AppError} both of them `invalid_token` where the account was locked or erased since the token was checked */
export interface Profile {
  read(caller: Caller): Promise<UserResponse>;
  /** Changes what differs; where nothing does, nothing is written and nothing recorded. @returns the account after it */
  update(caller: Caller, request: UpdateProfileRequest, origin: RequestOrigin): Promise<UserResponse>;
}

const FIELDS = ['firstName', 'lastName', 'locale'] as const satisfies (keyof ProfileChanges)[];

/** Only what is not so already, so that the trail tells of true changes. */
const differences = (user: User, request: UpdateProfileRequest): ProfileChanges =>
  Object.fromEntries(
    FIELDS.filter((field) => request[field] !== undefined && request[field] !== user[field]).map((field) => [
      field,
      request[field],
    ]),
  );

export const createProfile = ({ users, profiles, toUserResponse }: Dependencies): Profile => {
  const find = async (userId: string): Promise<User> => {
    const user = await users.findById(userId);
    if (user === undefined) throw new AppError('invalid_token');
    return user;
  };

  /** With the roles that count in the caller's session. */
  const inForce = ({ roles }: Caller, user: User): UserResponse =>
    toUserResponse({ ...user, roles: user.roles.filter((role) => roles.includes(role)) });

  return {
    read: async (caller) => inForce(caller, await find(caller.userId)),

    async update(caller, request, origin) {
      const { userId } = caller;
      const user = await find(userId);
      const changes = differences(user, request);
      if (Object.keys(changes).length === 0) return inForce(caller, user);
      if (!(await profiles.change(userId, changes, origin))) throw new AppError('invalid_token');
      return inForce(caller, await find(userId));
    },
  };
};
