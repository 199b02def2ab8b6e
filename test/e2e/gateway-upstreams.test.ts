import { once } from 'node:events';
import { get as httpGet, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';

import { freePort } from '../../tools/stack/ports';
import { createAuthority } from '../support/certificates';
import { eventually } from '../support/eventually';
import { type GatewayAlone, startGateway, startUpstream, type TestUpstream } from '../support/gateway';

const stoppers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stoppers.splice(0).reverse()) await stop();
});

const upstream = async (...args: Parameters<typeof startUpstream>): Promise<TestUpstream> => {
  const started = await startUpstream(...args);
  stoppers.push(started.stop);
  return started;
};
const gatewayTo = async (table: unknown, env?: Record<string, string>): Promise<GatewayAlone> => {
  const started = await startGateway(table, env);
  stoppers.push(started.stop);
  return started;
};

/** One service at `/x/*`. */
const tableOf = (upstreams: readonly object[], route: object = {}, service: object = {}) => ({
  services: { s: { upstreams, healthInterval: '200ms', ...service } },
  routes: [{ path: '/x/*', service: 's', auth: 'none', ...route }],
});
const named = (name: string) => upstream((_request, response) => response.end(name));

const ask = async (url: string, init?: RequestInit) => {
  const answer = await fetch(url, init);
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
};
const problemOf = async (url: string, init?: RequestInit) => {
  const { status, text, headers } = await ask(url, init);
  return { status, code: (JSON.parse(text) as { code: string }).code, headers };
};

/** As `fetch` cannot: with another `Host`, on a connection of its own. */
const statusFor = (url: string, host: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    httpGet(url, { headers: { host }, agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    }).once('error', reject);
  });
const metricsOf = async (gateway: GatewayAlone) => (await ask(`${gateway.metricsUrl}/metrics`)).text;

describe('several upstreams', () => {
  it('share the requests by weight, and a client stays where it is with a sticky service', async () => {
    const [old, canary] = [await named('old'), await named('canary')];
    const weights = [
      { url: old.url, weight: 90 },
      { url: canary.url, weight: 10 },
    ];
    const gateway = await gatewayTo(tableOf(weights));
    const counts: Record<string, number> = { old: 0, canary: 0 };
    for (let i = 0; i < 1_000; i += 1) counts[(await ask(`${gateway.url}/x/a`)).text]! += 1;
    // Five standard deviations (9.5) from a tenth.
    expect(counts['canary']).toBeGreaterThan(50);
    expect(counts['canary']).toBeLessThan(150);

    await gateway.writeRoutes(tableOf([{ url: old.url }, { url: canary.url }], {}, { sticky: 'address' }));
    await eventually('the new table', async () => (await gateway.log()).includes('routes reloaded'));
    const answers = new Set<string>();
    for (let i = 0; i < 50; i += 1) answers.add((await ask(`${gateway.url}/x/a`)).text);
    expect(answers.size).toBe(1);
  });

  it('one that is not ready gets nothing while another one is', async () => {
    let ready = true;
    const asked = { a: 0, b: 0 };
    const a = await upstream((_request, response) => {
      asked.a += 1;
      response.end();
    });
    const b = await upstream(() => undefined);
    b.server.removeAllListeners('request');
    b.server.on('request', (request, response) => {
      if (request.url !== '/readyz') asked.b += 1;
      else response.statusCode = ready ? 200 : 503;
      response.end();
    });
    const gateway = await gatewayTo(tableOf([{ url: a.url }, { url: b.url }]));
    ready = false;
    await eventually('the probe', async () =>
      (await ask(`${gateway.metricsUrl}/metrics`)).text.includes('unhealthy"} 1'),
    );
    Object.assign(asked, { a: 0, b: 0 });
    for (let i = 0; i < 50; i += 1) await ask(`${gateway.url}/x/a`);
    expect(asked).toEqual({ a: 50, b: 0 });
  });

  it('one that fails much more than its sibling is left out for a while', async () => {
    const asked = { bad: 0 };
    const good = await named('good');
    const bad = await upstream((_request, response) => {
      asked.bad += 1;
      response.writeHead(500).end('bad');
    });
    const gateway = await gatewayTo(tableOf([{ url: good.url }, { url: bad.url }]));
    for (let i = 0; i < 100; i += 1) await ask(`${gateway.url}/x/a`);
    const before = asked.bad;
    for (let i = 0; i < 100; i += 1) expect((await ask(`${gateway.url}/x/a`)).text).toBe('good');
    expect(asked.bad).toBe(before);
  });
});

describe('an upstream that fails', () => {
  it('that is away: 502 for what may not be repeated, then 503 with Retry-After; what may be waits for it', async () => {
    const port = await freePort();
    const gateway = await gatewayTo(tableOf([{ url: `http://127.0.0.1:${port}` }], { timeout: '10s' }));
    const post = await problemOf(`${gateway.url}/x/a`, { method: 'POST', body: 'x' });
    expect([502, 503]).toContain(post.status);
    const second = await problemOf(`${gateway.url}/x/a`, { method: 'POST', body: 'x' });
    expect([second.status, second.code]).toEqual([503, 'service_unavailable']);
    expect(second.headers.get('retry-after')).toBe('1');
    const waiting = Promise.all(Array.from({ length: 20 }, () => ask(`${gateway.url}/x/a`)));
    await sleep(500);
    await upstream((_request, response) => response.end('here'), port);
    expect((await waiting).map(({ text }) => text)).toEqual(Array.from({ length: 20 }, () => 'here'));
  });

  it('that is away for good: 503 when the time is over', async () => {
    const gateway = await gatewayTo(tableOf([{ url: `http://127.0.0.1:${await freePort()}` }], { timeout: '500ms' }));
    const { status, code, headers } = await problemOf(`${gateway.url}/x/a`);
    expect([status, code, headers.get('retry-after')]).toEqual([503, 'service_unavailable', '1']);
    expect((await ask(`${gateway.url}/readyz`)).text).toContain('"status":"degraded"');
  });

  it('that does not answer: 504 at the time of the route, and its circuit opens', async () => {
    let asked = 0;
    const silent = await upstream(() => {
      asked += 1;
    });
    const gateway = await gatewayTo(tableOf([{ url: silent.url }], { timeout: '300ms' }));
    for (let i = 0; i < 5; i += 1) {
      const { status, code } = await problemOf(`${gateway.url}/x/a`);
      expect([status, code]).toEqual([504, 'gateway_timeout']);
    }
    expect(asked).toBe(5);
    await eventually('the log to name it', async () =>
      (await gateway.log()).includes(`Upstream ${silent.url}: timeout`),
    );
    const { status, code } = await problemOf(`${gateway.url}/x/a`, { method: 'POST' });
    expect([status, code]).toEqual([503, 'service_unavailable']);
    expect(asked).toBe(5);
    expect((await ask(`${gateway.metricsUrl}/metrics`)).text).toMatch(/state="open"\} 1/);
  });

  it('that breaks off before it answers is asked again where that is safe, and only there', async () => {
    const seen: string[] = [];
    const flaky = await upstream((request, response) => {
      const key = String(request.headers['idempotency-key'] ?? '');
      seen.push(`${request.method ?? ''} ${key}`);
      if (seen.length % 2 === 1) request.socket.destroy();
      else request.resume().once('end', () => response.end('done'));
    });
    const gateway = await gatewayTo(tableOf([{ url: flaky.url }], { idempotencyKeys: true }));
    for (const method of ['GET', 'PUT', 'DELETE']) {
      expect((await ask(`${gateway.url}/x/a`, { method, ...(method === 'PUT' && { body: 'x' }) })).text).toBe('done');
    }
    const keyed = { method: 'POST', body: 'x', headers: { 'idempotency-key': 'k1' } };
    expect((await ask(`${gateway.url}/x/a`, keyed)).text).toBe('done');
    expect(seen).toHaveLength(8);
    const { status, code } = await problemOf(`${gateway.url}/x/a`, { method: 'POST', body: 'x' });
    expect([status, code]).toEqual([502, 'bad_gateway']);
    expect(seen).toHaveLength(9);
    expect((await ask(`${gateway.metricsUrl}/metrics`)).text).toMatch(/gateway_repetitions_total\{service="s"\} 4/);
  });

  it('does not keep the place of a client that left between two attempts', async () => {
    let asked = 0;
    const clients: Socket[] = [];
    const flaky = await upstream((request, response) => {
      asked += 1;
      if (asked > 1) response.end('done');
      else {
        request.socket.destroy();
        // Within the pause before the repetition.
        setTimeout(() => clients.forEach((client) => client.destroy()), 10);
      }
    });
    const gateway = await gatewayTo(tableOf([{ url: flaky.url }], {}, { maxConcurrent: 1 }));
    const { port, hostname } = new URL(gateway.url);
    const client = connect(Number(port), hostname);
    clients.push(client);
    client.write('GET /x/a HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('the end of it', async () => (await metricsOf(gateway)).includes('gateway_requests_total{'));
    expect((await ask(`${gateway.url}/x/a`)).text).toBe('done');
    expect(asked).toBe(2);
  });

  it('outlives a client that leaves while its streamed body waits for an upstream', async () => {
    const gateway = await gatewayTo(tableOf([{ url: `http://127.0.0.1:${await freePort()}` }], { streamBody: true }));
    // Known to be away from now on, so that the next one waits.
    expect((await problemOf(`${gateway.url}/x/a`, { method: 'POST', body: 'x' })).code).toBe('bad_gateway');
    const { port, hostname } = new URL(gateway.url);
    const client = connect(Number(port), hostname, () => {
      client.write('POST /x/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc', () => client.destroy());
    });
    await eventually('it to be noticed', async () => (await metricsOf(gateway)).includes('outcome="gone"} 1'));
    expect((await ask(`${gateway.url}/healthz`)).status).toBe(200);
  });

  it('over TLS has the name of its URL, whatever the client calls the gateway', async () => {
    const authority = await createAuthority();
    let connections = 0;
    const server = createTlsServer(await authority.issue('localhost'), (_request, response) => response.end('secure'));
    server.on('secureConnection', () => (connections += 1));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stoppers.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    const url = `https://localhost:${String((server.address() as AddressInfo).port)}`;
    const gateway = await gatewayTo(tableOf([{ url }], {}, { healthInterval: '1h' }), {
      UPSTREAM_TLS_CA: authority.cert,
    });
    for (const host of ['api.example.et', 'localhost', 'other.example', '127.0.0.1', 'api.example.et'])
      expect([host, await statusFor(`${gateway.url}/x/a`, host)]).toEqual([host, 200]);
    // Kept, and one more for the probe at the start.
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('that breaks off within its answer: the client does not take it for the whole', async () => {
    const broken = await upstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write('half');
      setTimeout(() => response.destroy(), 50);
    });
    const gateway = await gatewayTo(tableOf([{ url: broken.url }]));
    await expect(ask(`${gateway.url}/x/a`)).rejects.toThrow();
  });
});

describe('the route table', () => {
  it('is taken over when it changes, without cutting what runs, and refused as a whole when it is wrong', async () => {
    const [one, two] = [await named('one'), await named('two')];
    const release: (() => void)[] = [];
    const slow = await upstream((_request, response) => {
      release.push(() => response.end('slow'));
    });
    const gateway = await gatewayTo(tableOf([{ url: slow.url }]));
    const running = ask(`${gateway.url}/x/a`);
    await eventually('the slow request', () => Promise.resolve(release.length > 0));
    await gateway.writeRoutes(tableOf([{ url: one.url }]));
    await eventually('the new table', async () => (await gateway.log()).includes('routes reloaded'));
    expect((await ask(`${gateway.url}/x/a`)).text).toBe('one');
    release.forEach((end) => end());
    expect((await running).text).toBe('slow');

    const wrong = tableOf([{ url: 'ftp://nowhere' }, { url: two.url, weight: -1 }], {
      auth: 'sometimes',
      timeout: '1 s',
    });
    await gateway.writeRoutes({ ...wrong, more: 1 });
    const log = await eventually('the refusal', async () => {
      const text = await gateway.log();
      return text.includes('routes not reloaded') && text;
    });
    for (const place of [
      'services.s.upstreams.0.url',
      'services.s.upstreams.1.weight',
      'routes.0.auth',
      'routes.0.timeout',
    ])
      expect(log).toContain(place);
    expect((await ask(`${gateway.url}/x/a`)).text).toBe('one');
    await gateway.writeRoutes('services: [');
    await eventually('the second refusal', async () => (await gateway.log()).includes('is not YAML'));
    await gateway.writeRoutes(tableOf([{ url: two.url }]));
    await eventually('the good table', async () => (await ask(`${gateway.url}/x/a`)).text === 'two');
  });

  it('knows methods, limits of a route, and what has no route', async () => {
    const one = await named('one');
    const gateway = await gatewayTo({
      services: { s: { upstreams: [{ url: one.url }] } },
      routes: [
        { path: '/x/:id', service: 's', auth: 'none', methods: ['GET', 'POST'] },
        { path: '/few', service: 's', auth: 'none', limit: 'address=3,window=1m' },
      ],
    });
    const refused = await problemOf(`${gateway.url}/x/1`, { method: 'DELETE' });
    expect([refused.status, refused.code, refused.headers.get('allow')]).toEqual([
      405,
      'method_not_allowed',
      'GET, POST',
    ]);
    expect((await problemOf(`${gateway.url}/x/1/2`)).code).toBe('not_found');
    for (let i = 2; i >= 0; i -= 1)
      expect((await ask(`${gateway.url}/few`)).headers.get('ratelimit')).toMatch(new RegExp(`^"address";r=${i};t=`));
    const limited = await problemOf(`${gateway.url}/few`);
    expect([limited.status, limited.code]).toEqual([429, 'rate_limited']);
    expect(limited.headers.get('ratelimit-policy')).toBe('"address";q=3;w=60');
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    for (const name of ['x-content-type-options', 'strict-transport-security', 'content-security-policy'])
      expect(limited.headers.has(name)).toBe(true);
  });

  it('limits floods of one address, and in observe mode nobody', async () => {
    const one = await named('one');
    const few = { GATEWAY_RATE_LIMIT: 'address=5,range=50,window=1m' };
    const strict = await gatewayTo(tableOf([{ url: one.url }]), few);
    const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await ask(`${strict.url}/x/a`)).status));
    expect(statuses.sort()).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    // Whatever is asked for, but for the probes.
    for (const path of ['/api/docs/openapi.json', '/nothing/here']) {
      const { status, code } = await problemOf(`${strict.url}${path}`);
      expect([path, status, code]).toEqual([path, 429, 'rate_limited']);
    }
    expect((await ask(`${strict.url}/healthz`)).status).toBe(200);
    const lenient = await gatewayTo(tableOf([{ url: one.url }]), { ...few, RATE_LIMIT_MODE: 'observe' });
    for (let i = 0; i < 8; i += 1) expect((await ask(`${lenient.url}/x/a`)).status).toBe(200);
    const overall = await gatewayTo(tableOf([{ url: one.url }]), { GATEWAY_RATE_LIMIT_OVERALL: '2' });
    for (const status of [200, 200, 503]) expect((await ask(`${overall.url}/x/a`)).status).toBe(status);
  });

  it('asks for a token for whatever the document of a service does not open, and for all of it until it has been read', async () => {
    const operation = (security: object[]) => ({ get: { security, responses: { 200: { description: 'ok' } } } });
    const document = {
      ...{ openapi: '3.1.0', info: { title: 'Orders', version: '1' } },
      paths: { '/x/open': operation([]), '/x/{order-id}/secret': operation([{ bearer: [] }]) },
      components: JSON.parse('{"__proto__":{"outcome2":true}}') as object,
    };
    let [text, reads]: [string | undefined, number] = [undefined, 0];
    const orders = await upstream((request, response) => {
      if (request.url !== '/doc') response.end('secret');
      else response.writeHead(text === undefined ? 503 : 200).end(text, () => (reads += 1));
    });
    const gateway = await gatewayTo(tableOf([{ url: orders.url }], { auth: 'document' }, { document: '/doc' }));
    expect((await problemOf(`${gateway.url}/x/open`)).code).toBe('service_unavailable');
    await eventually('a warning', async () =>
      (await gateway.log()).includes('the document of a service cannot be read'),
    );
    text = JSON.stringify({ ...document, tags: [null] });
    const before = reads;
    // The first of them may have begun before.
    await eventually('it to be read', () => Promise.resolve(reads > before + 2));
    expect((await problemOf(`${gateway.url}/x/open`)).code).toBe('service_unavailable');
    text = JSON.stringify(document);
    await eventually('the document', async () => (await ask(`${gateway.url}/x/open`)).status === 200);
    for (const path of ['/x/1/secret', '/x/1/secret/', '/x/1/SECRET', '/x/1/secret;a', '/x/unknown'])
      expect([path, (await problemOf(`${gateway.url}${path}`)).code]).toEqual([path, 'invalid_token']);
    expect((await ask(`${gateway.url}/api/docs/openapi.json`)).text).toContain('/x/open');
    // A part of its own in the merged document, and not of every object.
    expect((await ask(`${gateway.metricsUrl}/metrics`)).status).toBe(200);

    // What is no longer behind the gateway is no longer told of; what is new is.
    await gateway.writeRoutes({
      services: {
        s: { upstreams: [{ url: orders.url }] },
        more: { upstreams: [{ url: orders.url }], document: '/doc' },
      },
      routes: [{ path: '/x/*', service: 'more', auth: 'document' }],
    });
    text = JSON.stringify({ ...document, paths: { '/x/new': operation([]) } });
    await eventually('the new document', async () => (await ask(`${gateway.url}/x/new`)).status === 200);
    const merged = (await ask(`${gateway.url}/api/docs/openapi.json`)).text;
    expect([merged.includes('/x/new'), merged.includes('/x/open')]).toEqual([true, false]);
    await eventually('the new service', async () => (await ask(`${gateway.url}/readyz`)).text.includes('"more"'));
  });

  it('asks for a token where it cannot check one: 503, and nothing gets through', async () => {
    let asked = 0;
    const one = await upstream((_request, response) => {
      asked += 1;
      response.end();
    });
    const gateway = await gatewayTo(tableOf([{ url: one.url }], { auth: 'bearer' }));
    expect((await problemOf(`${gateway.url}/x/a`)).code).toBe('invalid_token');
    const token = [{ alg: 'ES256', typ: 'at+jwt', kid: 'k' }, { sub: 'x' }].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const headers = { authorization: `Bearer ${token.join('.')}.${'A'.repeat(86)}` };
    expect((await problemOf(`${gateway.url}/x/a`, { headers })).code).toBe('service_unavailable');
    expect(asked).toBe(0);
  });
});

describe('what an upstream is told, and tells', () => {
  it('is as the proxies in front saw it, and where the service says nothing the gateway adds what keeps browsers safe', async () => {
    let seen: IncomingHttpHeaders = {};
    const echo = await upstream((request, response) => {
      seen = request.headers;
      if (request.url === '/x/unchanged') response.writeHead(304, { 'content-length': '5', etag: '"1"' });
      else response.setHeader('X-Frame-Options', 'SAMEORIGIN');
      response.end();
    });
    const gateway = await gatewayTo(tableOf([{ url: echo.url }]), { GATEWAY_TRUSTED_PROXY_HOPS: '1' });
    const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.9', 'x-forwarded-proto': 'https' };
    const answer = await ask(`${gateway.url}/x/a`, { headers });
    expect([seen['x-forwarded-for'], seen['x-forwarded-proto']]).toEqual(['203.0.113.9', 'https']);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-frame-options': 'SAMEORIGIN',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': expect.stringContaining('max-age='),
    });
    await ask(`${gateway.url}/x/a`, { headers: { 'x-forwarded-proto': 'gopher' } });
    expect(seen['x-forwarded-proto']).toBe('http');
    const unchanged = await ask(`${gateway.url}/x/unchanged`, { headers: { 'if-none-match': '"1"' } });
    expect([unchanged.status, unchanged.headers.get('etag')]).toEqual([304, '"1"']);
  });
});

describe('the front page', () => {
  it('knows how a service does by its own health', async () => {
    const service = await upstream((request, response) => {
      response.writeHead(request.url === '/health' ? 200 : 404).end('fine');
    });
    const gateway = await gatewayTo(tableOf([{ url: service.url }], {}, { health: '/health' }));
    const parts = JSON.parse((await ask(`${gateway.url}/front-page/parts`)).text) as unknown;
    // Redis is away.
    expect(parts).toEqual([
      { name: 'gateway', state: 'degraded' },
      { name: 's', state: 'up' },
    ]);
  });

  it('is not there in production', async () => {
    const service = await named('one');
    const gateway = await gatewayTo(tableOf([{ url: service.url }]), { NODE_ENV: 'production' });
    for (const path of ['/', '/front-page.js', '/front-page.css', '/front-page/parts'])
      expect([path, (await problemOf(`${gateway.url}${path}`)).code]).toEqual([path, 'not_found']);
    expect((await ask(`${gateway.url}/x/a`)).text).toBe('one');
  });
});

describe('what lasts', () => {
  it('whoever takes nothing of an answer of the gateway itself does not keep its connection', async () => {
    const gateway = await gatewayTo(tableOf([{ url: 'http://127.0.0.1:1' }]), {
      // One is kept by whoever asked whether it is ready.
      ...{ GATEWAY_SLOW_READER_TIMEOUT: '1s', GATEWAY_MAX_CONNECTIONS: '2' },
    });
    const { port, hostname } = new URL(gateway.url);
    const asking = 'GET /api/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(10);
    await eventually('the last connection', async () => {
      const socket = connect(Number(port), hostname, () => socket.write(asking)).once('error', () => undefined);
      stoppers.push(() => Promise.resolve(socket.destroy()));
      const isTaken = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => false)]);
      socket.pause();
      return isTaken !== false;
    });
    await eventually('room for another one', () => statusFor(`${gateway.url}/healthz`, 'a').catch(() => undefined));
  });

  it('event streams that begin during the drain are ended with the others', async () => {
    const events = await upstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    });
    const gateway = await gatewayTo(tableOf([{ url: events.url }]), { SHUTDOWN_DRAIN: '1s' });
    const { port, hostname } = new URL(gateway.url);
    const watch = async (): Promise<{ text: string; ended: Promise<unknown> }> => {
      const watched = { text: '', ended: Promise.resolve<unknown>(undefined) };
      const socket = connect(Number(port), hostname).setEncoding('utf8');
      watched.ended = once(socket, 'close');
      socket.on('data', (chunk: string) => (watched.text += chunk));
      socket.write('GET /x/a HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(socket, 'data');
      return watched;
    };
    const early = await watch();
    const stopped = gateway.process.stop();
    await eventually('the drain', async () => (await gateway.log()).includes('shutting down'));
    const late = await watch();
    await Promise.all([early.ended, late.ended, stopped]);
    // The last chunk: they were ended, and not cut.
    for (const { text } of [early, late]) expect(text).toMatch(/^HTTP\/1\.1 200 OK[^]*\r\n0\r\n\r\n$/);
  });

  it('event streams pass at once, outlast the idle time, end with the client, and are ended by a drain', async () => {
    const closed: number[] = [];
    let send: (text: string) => void = () => undefined;
    const events = await upstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      send = (text) => response.write(text);
      response.once('close', () => closed.push(1));
    });
    const gateway = await gatewayTo(tableOf([{ url: events.url }], { idleTimeout: '200ms' }));
    const controller = new AbortController();
    const answer = await fetch(`${gateway.url}/x/a`, { signal: controller.signal });
    const reader = answer.body!.getReader();
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      await sleep(400);
      send(text);
      expect(Buffer.from((await reader.read()).value).toString()).toBe(text);
    }
    controller.abort();
    await eventually('the upstream to hear of it', () => Promise.resolve(closed.length === 1));

    const lasting = await fetch(`${gateway.url}/x/a`);
    const start = Date.now();
    await gateway.process.stop();
    expect(await lasting.text()).toBe('');
    expect(Date.now() - start).toBeLessThan(5_000);
  });

  it('WebSockets pass both ways, are refused as their upstream refuses them, and no other upgrade happens', async () => {
    const sockets = new WebSocketServer({ noServer: true });
    const echo = await upstream((request, response) => response.end(request.headers.upgrade ?? 'plain'));
    echo.server.on('upgrade', (request, socket, head) => {
      if (request.url === '/x/no')
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
      else sockets.handleUpgrade(request, socket, head, (client) => client.on('message', (data) => client.send(data)));
    });
    const gateway = await gatewayTo({
      services: { s: { upstreams: [{ url: echo.url }] } },
      routes: [
        { path: '/x/*', service: 's', auth: 'none', webSocket: true },
        { path: '/y/*', service: 's', auth: 'none' },
      ],
    });
    const wsUrl = gateway.url.replace('http', 'ws');
    const client = new WebSocket(`${wsUrl}/x/a`);
    await once(client, 'open');
    for (const size of [1, 100_000]) {
      client.send('a'.repeat(size));
      const [data] = (await once(client, 'message')) as [Buffer];
      expect(data.length).toBe(size);
    }
    client.close();
    const [code] = (await once(client, 'close')) as [number];
    expect(code).toBe(1005);
    const counted = await metricsOf(gateway);
    expect(counted).toMatch(/gateway_requests_total\{service="s",upstream="[^"]+",outcome="1xx"\} 1/);
    const refused = new WebSocket(`${wsUrl}/x/no`);
    const [error] = (await once(refused, 'error')) as [Error];
    expect(error.message).toContain('403');
    // Not allowed by the route, or no WebSocket: a request like any other.
    const notHere = new WebSocket(`${wsUrl}/y/a`);
    expect(((await once(notHere, 'error')) as [Error])[0].message).toContain('200');
    const { port, hostname } = new URL(gateway.url);
    const socket = connect(Number(port), hostname).setEncoding('utf8');
    socket.write(
      'GET /x/a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n',
    );
    let text = '';
    socket.on('data', (chunk: string) => (text += chunk));
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*plain$/);
    sockets.close();
  });

  it('a large answer is not collected: the upstream waits for a slow reader, who is cut off in the end', async () => {
    let written = 0;
    let isCutOff = false;
    const large = await upstream((_request, response) => {
      response.once('close', () => (isCutOff = true));
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536))) written += 65_536;
        written += 65_536;
        response.once('drain', more);
      };
      more();
    });
    const gateway = await gatewayTo(tableOf([{ url: large.url }]), { GATEWAY_SLOW_READER_TIMEOUT: '1s' });
    const { port, hostname } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.pause();
    socket.write('GET /x/a HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('the upstream to be stopped', async () => {
      const before = written;
      await sleep(200);
      return written > 0 && written === before;
    });
    // What the buffers of five sockets hold, not what could have been sent in that time.
    expect(written).toBeLessThan(32 * 1_048_576);
    await eventually('the reader to be cut off', () => Promise.resolve(isCutOff));
    socket.on('error', () => undefined).destroy();
  });

  it('streams large bodies where the route says so, and refuses those beyond its limit', async () => {
    const sizes: number[] = [];
    const sink = await upstream((request, response) => {
      let size = 0;
      request.on('data', (chunk: Buffer) => (size += chunk.length));
      request.on('end', () => {
        sizes.push(size);
        response.end();
      });
    });
    const gateway = await gatewayTo(tableOf([{ url: sink.url }], { streamBody: true, maxBodyBytes: 4_000_000 }));
    const send = (bytes: number) => ask(`${gateway.url}/x/a`, { method: 'POST', body: Buffer.alloc(bytes) });
    expect((await send(3_000_000)).status).toBe(200);
    expect(sizes).toEqual([3_000_000]);
    expect((await send(5_000_000)).status).toBe(413);
    const chunked = new ReadableStream({
      start: (stream) => {
        for (let i = 0; i < 80; i += 1) stream.enqueue(Buffer.alloc(65_536));
        stream.close();
      },
    });
    const grown = await ask(`${gateway.url}/x/a`, { method: 'POST', body: chunked, duplex: 'half' });
    expect(grown.status).toBe(413);
    expect(sizes).toEqual([3_000_000]);
  });

  it('finishes what runs when it is stopped, and takes nothing new', async () => {
    const release: (() => void)[] = [];
    const slow = await upstream((_request, response) => {
      release.push(() => response.end('whole'));
    });
    const gateway = await gatewayTo(tableOf([{ url: slow.url }]));
    const running = ask(`${gateway.url}/x/a`);
    await eventually('the request', () => Promise.resolve(release.length > 0));
    const stopped = gateway.process.stop();
    await eventually('the door to close', async () => (await gateway.log()).includes('shutting down'));
    await expect(fetch(`${gateway.url}/x/a`)).rejects.toThrow();
    release.forEach((end) => end());
    expect((await running).text).toBe('whole');
    await stopped;
    expect(await gateway.log()).toContain('stopped');
  });
});
