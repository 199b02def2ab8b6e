import type { PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import cors from '@koa/cors';
import Koa from 'koa';
import getRawBody from 'raw-body';
import { z } from 'zod';

/** A page of history at most. */
const MAX_BODY = '10mb';

const payloadsSchema = z.object({
  payloads: z.array(z.object({ metadata: z.record(z.string(), z.base64()).optional(), data: z.base64().optional() })),
});

const { Payload } = temporal.api.common.v1;

/**
 * The remote codec of the Temporal UI (`POST /decode`, `/encode`; protobuf JSON). First form, for development: it answers
 * only to the UI's origins, which a page of another origin cannot claim, and is to be bound to loopback.
 */
export const createCodecServer = (codec: PayloadCodec, origins: readonly string[]): Koa => {
  const app = new Koa();
  app.silent = true;

  app.use(async (ctx, next) => {
    if (ctx.path === '/healthz') {
      ctx.body = { status: 'up' };
      return;
    }
    if (!origins.includes(ctx.get('origin'))) ctx.throw(403, 'Only the Temporal UI may ask');
    await next();
  });
  app.use(
    cors({
      origin: (ctx) => ctx.get('origin'),
      allowMethods: ['POST'],
      allowHeaders: ['content-type', 'x-namespace', 'authorization'],
      credentials: true,
    }),
  );
  app.use(async (ctx) => {
    const direction = ({ '/decode': 'decode', '/encode': 'encode' } as const)[ctx.path];
    if (direction === undefined || ctx.method !== 'POST') return ctx.throw(404);
    const body: unknown = await getRawBody(ctx.req, { limit: MAX_BODY, encoding: 'utf8' })
      .then(JSON.parse)
      .catch(() => {
        // The rest of a body that is too large, so that the connection can be used again.
        ctx.req.resume();
      });
    const parsed = payloadsSchema.safeParse(body);
    if (!parsed.success) return ctx.throw(400, 'Not a list of payloads');
    try {
      const payloads = await codec[direction](parsed.data.payloads.map((payload) => Payload.fromObject(payload)));
      ctx.set('Cache-Control', 'no-store');
      ctx.body = { payloads: payloads.map((payload) => Payload.toObject(Payload.create(payload), { bytes: String })) };
    } catch {
      ctx.throw(422, 'A payload cannot be decoded with the keys at hand');
    }
  });
  return app;
};
