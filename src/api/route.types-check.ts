import { z } from 'zod';

import { registerRequest, registrationAccepted, registrationParams } from '../contracts/registration';
import { defineRoute } from './route';

/** Checked by the compiler alone: what `defineRoute` infers, and what it must refuse. */
const base = { method: 'post', path: '/x', operationId: 'x', summary: '', tags: [], auth: 'none', errors: [] } as const;
const two = {
  204: { description: '' },
  200: { description: '', schema: z.object({ a: z.enum(['q', 'w']) }) },
} as const;

export const typeChecks = [
  defineRoute({
    ...base,
    auth: 'bearer',
    params: registrationParams,
    body: registerRequest,
    responses: { 202: { description: '', schema: registrationAccepted }, 204: { description: '' } },
    handler: async ({ params: { registrationId }, body, query, caller }) => {
      await Promise.resolve(query satisfies undefined);
      if (body.email === caller.userId) return { status: 204 };
      const answer = { registrationId, status: 'verification_pending', expiresAt: '' } as const;
      return { status: 202, body: answer, headers: { a: 'b' } };
    },
  }),
  defineRoute({
    ...base,
    responses: two,
    handler: async ({ caller, ip }) => {
      await Promise.resolve(caller satisfies undefined);
      return { status: 200, body: { a: ip === '' ? 'q' : 'w' } };
    },
  }),
  defineRoute({
    ...base,
    responses: two,
    // @ts-expect-error -- a status that is not declared
    handler: async () => Promise.resolve({ status: 201 as const }),
  }),
  defineRoute({
    ...base,
    responses: two,
    // @ts-expect-error -- a body that does not fit its status
    handler: async () => Promise.resolve({ status: 200 as const, body: { a: 1 } }),
  }),
  defineRoute({
    ...base,
    responses: two,
    // @ts-expect-error -- a body that is missing
    handler: async () => Promise.resolve({ status: 200 as const }),
  }),
];
