import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { createBreachCheck } from './breach-check';

const STOLEN = 'correct horse battery staple';
const digest = createHash('sha1').update(STOLEN).digest('hex').toUpperCase();
const [PREFIX, SUFFIX] = [digest.slice(0, 5), digest.slice(5)];
const TIMEOUT_MS = 2_000;
const SHORT_TIMEOUT_MS = 150;

describe('the breach check', () => {
  let server: Server;
  let url = '';
  let requests: IncomingMessage[] = [];
  let lines: string[] = [];
  let answer: (response: ServerResponse) => void;
  const range = (counted: number) => (response: ServerResponse) => {
    response.end([`${'0'.repeat(35)}:12`, `${SUFFIX}:${String(counted)}`, `${'F'.repeat(35)}:0`].join('\r\n'));
  };
  const silence = () => undefined;

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(request);
      answer(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/range/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    requests = [];
    lines = [];
    answer = range(3);
  });

  const create = (retryAfterMs = 30_000, timeoutMs = TIMEOUT_MS) => {
    const log = (_fields: object, message?: string) => lines.push(message ?? '');
    return createBreachCheck({
      url,
      timeoutMs,
      failures: 3,
      retryAfterMs,
      logger: { warn: log, info: log },
    });
  };

  it('knows a stolen password and shows the service five digits of its SHA-1 and nothing else', async () => {
    expect(await create()(STOLEN)).toBe(true);
    expect(requests.map(({ url: path }) => path)).toEqual([`/range/${PREFIX}`]);
    expect(requests[0]?.headers['add-padding']).toBe('true');
    expect(JSON.stringify([requests[0]?.headers, requests[0]?.url])).not.toContain(SUFFIX);
  });

  it('takes padding for what it is', async () => {
    answer = range(0);
    expect(await create()(STOLEN)).toBe(false);
  });

  it('does not know another password', async () => {
    expect(await create()('the magpie counts eleven lamps')).toBe(false);
  });

  it.each([
    ['answers 500', (response: ServerResponse) => response.writeHead(500).end('no')],
    ['redirects', (response: ServerResponse) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['closes the connection', (response: ServerResponse) => response.destroy()],
  ])('lets the password pass when the service %s', async (_name, misbehave) => {
    answer = misbehave;
    expect(await create()(STOLEN)).toBe(false);
  });

  it('waits no longer than its timeout, and after some failures not at all, until the service is back', async () => {
    answer = silence;
    const check = create(300, SHORT_TIMEOUT_MS);
    const begin = performance.now();
    for (let failure = 0; failure < 3; failure += 1) expect(await check(STOLEN)).toBe(false);
    expect(performance.now() - begin).toBeLessThan(10 * SHORT_TIMEOUT_MS);
    expect(requests).toHaveLength(3);

    const open = performance.now();
    for (let skipped = 0; skipped < 20; skipped += 1) expect(await check(STOLEN)).toBe(false);
    expect(performance.now() - open).toBeLessThan(SHORT_TIMEOUT_MS);
    expect(requests).toHaveLength(3);
    expect(lines).toHaveLength(1);

    answer = range(1);
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect(await check(STOLEN)).toBe(true);
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain(STOLEN);
  });
});
