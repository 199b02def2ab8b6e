import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { fixedPort, freePort, usualOrFreePort } from './ports';

let server: Server;
let taken: number;
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  taken = (server.address() as AddressInfo).port;
});
afterEach(() => void server.close());

test('a port that people type, when taken, is named with what wants it and what to set', async () => {
  await expect(fixedPort(taken, 'the auth service', 'AUTH_SERVICE_PORT')).rejects.toThrow(
    `Port ${taken} is in use, and the auth service wants it. Stop what listens there, or set AUTH_SERVICE_PORT to another port.`,
  );
});

test('any other port moves when it is taken', async () => {
  const port = await usualOrFreePort(taken);
  expect(port).not.toBe(taken);
  await expect(fixedPort(port, 'a test', 'PORT')).resolves.toBe(port);
});

test('a free port is handed out once', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, freePort));
  expect(new Set(ports).size).toBe(50);
});
