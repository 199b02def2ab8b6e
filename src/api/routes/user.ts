import { AppError } from '../../contracts/errors';
import { userResponse } from '../../contracts/session';
import { toUserResponse } from '../../identity/users';
import type { UserRepository } from '../../repositories/user-repository';
import { defineRoute, type Route } from '../route';

export const userRoutes = (users: Pick<UserRepository, 'findById'>): Route[] => [
  defineRoute({
    method: 'get',
    path: '/v1/users/me',
    operationId: 'getMe',
    summary: 'The caller',
    tags: ['Users'],
    auth: 'bearer',
    limit: 'read',
    responses: { 200: { description: 'The account', schema: userResponse } },
    errors: ['service_unavailable'],
    handler: async ({ caller }) => {
      const user = await users.findById(caller.userId);
      // Erased between the check of the token and here.
      if (user === undefined) throw new AppError('invalid_token');
      return { status: 200, body: toUserResponse(user) };
    },
  }),
];
