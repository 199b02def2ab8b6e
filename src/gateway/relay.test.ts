import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, expect, test } from '@jest/globals';
import { Pool } from 'undici';

import { relay } from './relay';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
};

test('what comes after an answer was ended, and before the client has taken it, is dropped with its upstream', async () => {
  const [above, below] = [new EventEmitter(), new EventEmitter()];
  const upstream = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    above.once('send', (text: string) => response.write(text));
    response.once('close', () => above.emit('closed'));
  });
  const pool = new Pool(upstream);
  const errors: unknown[] = [];
  const front = await serve((_request, response) => {
    response.on('error', (error) => errors.push(error));
    // As if the client took nothing.
    response.socket?.cork();
    const options = { timeoutMs: 5_000, idleTimeoutMs: 0, headers: {}, isRepetition: false };
    const told = { onHead: () => below.emit('begun', response), onUpgrade: () => undefined };
    relay(pool, { method: 'GET', path: '/' }, { response, ...options, ...told }).catch((error: unknown) => {
      below.emit('error', error);
    });
  });
  const begun = once(below, 'begun') as Promise<[ServerResponse]>;
  const closed = once(above, 'closed');
  fetch(front).catch(() => undefined);
  const [response] = await begun;
  response.end();
  above.emit('send', 'data: 1\n\n');
  await closed;
  expect(errors).toEqual([]);
  await pool.destroy();
});
