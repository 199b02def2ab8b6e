import { once } from 'node:events';
import { createServer } from 'node:http';

import Koa from 'koa';

import { serveCalls } from './helper';

const handlers = {
  /** A Koa app that does nothing but answer some JSON. */
  listen: async ({ port }: { readonly port: number }): Promise<void> => {
    const app = new Koa();
    app.use((ctx) => {
      ctx.body = { status: 'ok' };
    });
    const handle = app.callback();
    const server = createServer((request, response) => {
      handle(request, response).catch(console.error);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  },
};
export type EmptyRouteHelper = typeof handlers;

serveCalls(handlers);
