import { updateProfileRequest } from '../../contracts/profile';
import { userResponse } from '../../contracts/session';
import type { Profile } from '../../identity/profile';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Users'];

export const userRoutes = (profile: Profile): Route[] => [
  defineRoute({
    method: 'get',
    path: '/v1/users/me',
    operationId: 'getMe',
    summary: 'The caller',
    tags: TAGS,
    auth: 'bearer',
    limit: 'read',
    responses: { 200: { description: 'The account', schema: userResponse } },
    errors: ['service_unavailable'],
    handler: async ({ caller }) => ({ status: 200, body: await profile.read(caller) }),
  }),
  defineRoute({
    method: 'patch',
    path: '/v1/users/me',
    operationId: 'updateMe',
    summary: 'Change names and language',
    description:
      'What is left out stays as it is, `null` clears a name. The language is that of later mails and messages. An empty body, or one ' +
      'that says what is so already, changes nothing.',
    tags: TAGS,
    auth: 'bearer',
    limit: 'session',
    body: updateProfileRequest,
    responses: { 200: { description: 'The account after the change', schema: userResponse } },
    errors: ['service_unavailable'],
    handler: async (request) => ({
      status: 200,
      body: await profile.update(request.caller, request.body, originOf(request)),
    }),
  }),
];
