import { z } from 'zod';
import { registerRequest, registrationAccepted, registrationParams } from '../contracts/registration';
import { defineRoute } from './route';
export const a = defineRoute({
  method: 'post', path: '/v1/auth/register/:registrationId', operationId: 'x', summary: '', tags: [], auth: 'bearer',
  params: registrationParams, body: registerRequest, responses: { 202: { description: 'd', schema: registrationAccepted }, 204: { description: '' } },
  errors: ['not_found'],
  handler: async ({ params, body, query, caller }) => {
    const q: undefined = query; void q;
    if (body.email === caller.userId) return { status: 204 };
    return { status: 202, body: { registrationId: params.registrationId, status: 'verification_pending', expiresAt: '' }, headers: { a: 'b' } };
  },
});
export const b = defineRoute({
  method: 'post', path: '/x', operationId: 'x', summary: '', tags: [], auth: 'none', errors: [],
  responses: { 200: { description: 'd', schema: z.object({ a: z.string() }) } },
  // @ts-expect-error wrong status
  handler: async ({ caller }) => { const c: undefined = caller; void c; return { status: 201, body: { a: 'x' } }; },
});
export const d = defineRoute({
  method: 'post', path: '/x', operationId: 'x', summary: '', tags: [], auth: 'none', errors: [],
  responses: { 200: { description: 'd', schema: z.object({ a: z.string() }) } },
  // @ts-expect-error wrong body
  handler: async () => ({ status: 200, body: { a: 1 } }),
});
export const e0 = defineRoute({
  method: 'post', path: '/x', operationId: 'x', summary: '', tags: [], auth: 'none', errors: [],
  responses: { 204: { description: 'd' }, 200: { description: 'd', schema: z.object({ a: z.enum(['q', 'w']) }) } },
  handler: async () => ({ status: 204 }),
});
export const e1 = defineRoute({
  method: 'post', path: '/x', operationId: 'x', summary: '', tags: [], auth: 'none', errors: [],
  responses: { 204: { description: 'd' }, 200: { description: 'd', schema: z.object({ a: z.enum(['q', 'w']) }) } },
  handler: async ({ ip }) => { await Promise.resolve(ip); return { status: 204 }; },
});
export const e2 = defineRoute({
  method: 'post', path: '/x', operationId: 'x', summary: '', tags: [], auth: 'none', errors: [],
  responses: { 204: { description: 'd' }, 200: { description: 'd', schema: z.object({ a: z.enum(['q', 'w']) }) } },
  handler: async (r) => ({ status: 200, body: { a: r.ip === '' ? 'q' : 'w' } }),
});
export const e3 = defineRoute({
  method: 'post', path: '/x', operationId: 'x', summary: '', tags: [], auth: 'none', errors: [],
  responses: { 204: { description: 'd' }, 200: { description: 'd', schema: z.object({ a: z.enum(['q', 'w']) }) } },
  handler: ({ ip }) => Promise.resolve({ status: 200, body: { a: ip === '' ? 'q' : 'w' } }),
});
