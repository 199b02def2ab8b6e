import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { type GatewayAlone, startGateway, startUpstream, type TestUpstream } from '../support/gateway';
import { sendRaw } from '../support/raw-http';

/** What the upstream was asked, exactly. */
interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: string;
}

describe('requests that no client should send', () => {
  let gateway: GatewayAlone;
  let upstream: TestUpstream;
  let seen: Seen[] = [];

  beforeAll(async () => {
    upstream = await startUpstream((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.rawHeaders, body });
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ url: request.url }));
      });
    });
    gateway = await startGateway(
      {
        services: { echo: { upstreams: [{ url: upstream.url }] } },
        routes: [
          { path: '/public/*', service: 'echo', auth: 'none' },
          { path: '/streamed/*', service: 'echo', auth: 'none', streamBody: true },
        ],
      },
      { REQUEST_TIMEOUT: '2s', GATEWAY_SLOW_READER_TIMEOUT: '1s' },
    );
  }, 60_000);
  beforeEach(() => {
    seen = [];
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  const ask = (target: string, more = '', method = 'GET') =>
    sendRaw(gateway.url, `${method} ${target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n${more}\r\n`);

  it.each([
    ['an empty segment', '/public//x'],
    ['an empty first segment', '//public/x'],
    ['a parent', '/public/../private'],
    ['a parent at the end', '/public/..'],
    ['a parent that is encoded', '/public/%2e%2e/private'],
    ['a parent that is half encoded', '/public/.%2E/private'],
    ['a parent with a parameter', '/public/..;x=1/private'],
    ['this segment', '/public/./x'],
    ['an encoded slash', '/public/a%2fb'],
    ['an encoded backslash', '/public/a%5cb'],
    ['a backslash', '/public/a\\b'],
    ['NUL', '/public/a%00b'],
    ['a line break', '/public/a%0d%0aX-User-Id:1'],
    ['half an escape', '/public/%zz'],
    ['broken UTF-8', '/public/%c3%28'],
    ['raw UTF-8', '/public/ä'],
    ['a fragment', '/public/x#y'],
    ['a fragment in the query', '/public/x?y#z'],
    ['user information', 'http://user@a.example/public/x'],
    ['another scheme', 'ftp://a.example/public/x'],
    ['an asterisk', '*'],
    ['a character to be encoded', '/public/<script>'],
  ])('%s in the path is refused before anything is routed', async (_name, target) => {
    const answer = await ask(target);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
    expect(answer.headers.get('x-request-id')).toBe(answer.body.requestId);
    expect(seen).toEqual([]);
  });

  it('hands the normal form of a path on', async () => {
    expect((await ask('/public/%61%7e%C3%a4%2520?q=%2e%2E//&r=/../')).status).toBe(200);
    expect((await ask('http://b.example:81/public/x?y')).status).toBe(200);
    expect(seen.map(({ url }) => url)).toEqual(['/public/a~%C3%A4%2520?q=%2e%2E//&r=/../', '/public/x?y']);
    const [, first = '', second = ''] =
      /^host,([^,]*),.*x-forwarded-host,([^,]*)/i.exec(seen[1]?.headers.join(',') ?? '') ?? [];
    expect([first, second]).toEqual(['b.example:81', 'b.example:81']);
  });

  const smuggled = 'GET /private HTTP/1.1\r\nHost: a.example\r\n\r\n';
  const post = (headers: string, body: string) =>
    `POST /public/x HTTP/1.1\r\nHost: a.example\r\n${headers}\r\n\r\n${body}`;

  it.each([
    ['a length and chunks', post('Content-Length: 4\r\nTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`)],
    ['chunks and a length', post('Transfer-Encoding: chunked\r\nContent-Length: 4', `0\r\n\r\n${smuggled}`)],
    ['two lengths', post('Content-Length: 0\r\nContent-Length: 44', smuggled)],
    ['two lengths in one header', post('Content-Length: 0, 44', smuggled)],
    ['a signed length', post('Content-Length: +0', smuggled)],
    ['a length with a blank', post('Content-Length : 0', smuggled)],
    ['an unknown coding', post('Transfer-Encoding: xchunked', `0\r\n\r\n${smuggled}`)],
    ['chunks that are not last', post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${smuggled}`)],
    ['a folded header', post('X-A: b\r\n c: d\r\nTransfer-Encoding:\r\n chunked', `0\r\n\r\n${smuggled}`)],
    ['a bare line feed', `GET /public/x HTTP/1.1\nHost: a.example\n\n${smuggled}`],
    ['a bare carriage return', 'GET /public/x HTTP/1.1\r\nHost: a.example\r\nX-A: b\rX-User-Id: 1\r\n\r\n'],
    ['NUL in a header', 'GET /public/x HTTP/1.1\r\nHost: a.example\r\nX-A: b\0c\r\n\r\n'],
    ['a header without a name', 'GET /public/x HTTP/1.1\r\nHost: a.example\r\n: b\r\n\r\n'],
    ['no host', 'GET /public/x HTTP/1.1\r\n\r\n'],
    ['an empty host', 'GET /public/x HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'],
    ['a host that is none', 'GET /public/x HTTP/1.1\r\nHost: a.example/x?y\r\nConnection: close\r\n\r\n'],
    ['a host with user information', 'GET /public/x HTTP/1.1\r\nHost: a@b.example\r\nConnection: close\r\n\r\n'],
    ['two hosts', 'GET /public/x HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\nConnection: close\r\n\r\n'],
    [
      'two tokens',
      'GET /public/x HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\nConnection: close\r\n\r\n',
    ],
    ['a chunk size that is none', post('Transfer-Encoding: chunked', `zz\r\nab\r\n0\r\n\r\n`)],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s: 400, and the connection ends', async (_name, request) => {
    const answer = await sendRaw(gateway.url, request);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
    expect(seen.filter(({ url }) => url !== '/public/x')).toEqual([]);
  });

  it('gives chunks to the upstream as a body with a length, without extensions and trailers', async () => {
    const chunks = '3;ext="x"\r\nabc\r\n2\r\nde\r\n0\r\nX-User-Id: 1\r\n\r\n';
    const answer = await sendRaw(gateway.url, post('Transfer-Encoding: chunked\r\nConnection: close', chunks));
    expect(answer.status).toBe(200);
    const headers = seen[0]?.headers.map((text) => text.toLowerCase()) ?? [];
    expect(seen[0]?.body).toBe('abcde');
    expect(headers[headers.indexOf('content-length') + 1]).toBe('5');
    expect(headers).not.toContain('transfer-encoding');
    expect(headers).not.toContain('x-user-id');
  });

  it.each(['/public/x', '/streamed/x'])('gives no body with a GET to %s', async (path) => {
    const answer = await sendRaw(
      gateway.url,
      post('Content-Length: 3\r\nConnection: close', 'abc').replace('POST /public/x', `GET ${path}`),
    );
    expect(answer.status).toBe(200);
    expect(seen.map(({ method, url, body }) => [method, url, body])).toEqual([['GET', path, '']]);
  });

  it('does not let a service tell what it was sent', async () => {
    const answer = await ask('/public/x', '', 'TRACE');
    expect([answer.status, answer.body.code]).toEqual([405, 'method_not_allowed']);
    expect(seen).toEqual([]);
  });

  it('passes nothing on that is the business of one connection or that only the gateway may say', async () => {
    const spoofed = [
      ...['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Host: evil.example', 'Forwarded: for=6.6.6.6', 'X-Real-IP: 6.6.6.6'],
      ...['X-User-Id: admin', 'X_User_Id: admin', 'x-user-roles: ADMIN', 'X-Internal-Secret: 1', 'X-Gateway-Secret: 1'],
      ...[
        'X-Session-Id: 1',
        'X-HTTP-Method-Override: DELETE',
        'X-Original-URL: /private',
        'Proxy-Authorization: Basic eA==',
      ],
      ...[
        'TE: trailers',
        'Trailer: X-A',
        'Keep-Alive: timeout=5',
        'X-Named: 1',
        'Connection: close, X-Named',
        'X-Kept: 1',
      ],
    ];
    const answer = await sendRaw(
      gateway.url,
      `GET /public/x HTTP/1.1\r\nHost: a.example\r\n${spoofed.join('\r\n')}\r\n\r\n`,
    );
    expect(answer.status).toBe(200);
    const headers = new Map<string, string>();
    const raw = seen[0]?.headers ?? [];
    for (let i = 0; i < raw.length; i += 2) headers.set(raw[i]!.toLowerCase(), raw[i + 1]!);
    expect(Object.fromEntries(headers)).toEqual({
      host: 'a.example',
      connection: 'keep-alive',
      'x-kept': '1',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.example',
      'x-request-id': answer.headers.get('x-request-id'),
      via: '1.1 meqenet-gateway',
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/),
    });
  });

  it('takes over the ids of requests and traces that are well-formed', async () => {
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const good = await ask('/public/x', `X-Request-Id: client-id-1\r\ntraceparent: ${trace}\r\ntracestate: a=b\r\n`);
    expect(good.headers.get('x-request-id')).toBe('client-id-1');
    await ask('/public/x', `X-Request-Id: <script>\r\ntraceparent: 00-zz\r\ntracestate: a=b\r\n`);
    expect(seen[0]?.headers).toEqual(expect.arrayContaining(['client-id-1', trace, 'a=b']));
    expect(seen[1]?.headers).not.toEqual(expect.arrayContaining(['<script>']));
    expect(seen[1]?.headers).not.toEqual(expect.arrayContaining(['a=b']));
  });

  it.each([
    ['too long', `X-A: ${'a'.repeat(20_000)}\r\n`],
    ['too many', 'X-A: 1\r\n'.repeat(150)],
  ])('headers that are %s are answered with 431', async (_name, headers) => {
    const answer = await ask('/public/x', headers);
    expect([answer.status, answer.body.code]).toEqual([431, 'headers_too_large']);
    expect(seen).toEqual([]);
  });

  it('refuses what is too large, declared or not, and asks nobody to send it', async () => {
    const declared = await sendRaw(gateway.url, post('Content-Length: 70000\r\nExpect: 100-continue', ''));
    expect([declared.status, declared.body.code]).toEqual([413, 'payload_too_large']);
    const chunk = 'a'.repeat(40_000);
    const chunks = `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
    const grown = await sendRaw(gateway.url, post('Transfer-Encoding: chunked', `${chunks}${chunks}0\r\n\r\n`));
    expect([grown.status, grown.body.code]).toEqual([413, 'payload_too_large']);
    expect(seen).toEqual([]);
  });

  it('asks a client that waits for it to go on', async () => {
    const { port, hostname } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write('abcde');
    });
    socket.write(post('Content-Length: 5\r\nExpect: 100-continue', ''));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(text).toContain('HTTP/1.1 200 OK');
    expect(seen[0]?.body).toBe('abcde');
  });

  it.each([
    ['headers', 'GET /public/x HTTP/1.1\r\nHost: a.example\r\nX-Slow'],
    ['a body', post('Content-Length: 9', 'abc')],
  ])('does not wait for %s that do not come', async (_name, request) => {
    const start = Date.now();
    const answer = await sendRaw(gateway.url, request);
    expect([answer.status, answer.body.code]).toEqual([408, 'request_timeout']);
    expect(Date.now() - start).toBeLessThan(8_000);
    expect(seen).toEqual([]);
  });

  it('goes on answering others while two hundred clients send a byte now and then', async () => {
    const { port, hostname } = new URL(gateway.url);
    const slow = Array.from({ length: 200 }, () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined).resume();
      socket.write('GET /public/x HTTP/1.1\r\nHost: a.example\r\n');
      return socket;
    });
    const closed = Promise.all(slow.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    const drip = setInterval(() => slow.forEach((socket) => socket.writable && socket.write('X')), 100);
    try {
      for (let i = 0; i < 20; i += 1) {
        const start = performance.now();
        expect((await fetch(`${gateway.url}/public/x`)).status).toBe(200);
        expect(performance.now() - start).toBeLessThan(2_000);
        await sleep(10);
      }
      await closed;
    } finally {
      clearInterval(drip);
    }
  });
});
