import { describe, expect, test } from '@jest/globals';

import { defaultTable, parseTable, parseTableText } from './gateway-routes';

const service = { upstreams: [{ url: 'http://127.0.0.1:1' }] };
const table = (route: object, more: object = {}) => ({ services: { a: { ...service, ...more } }, routes: [route] });
const problems = (document: unknown) => parseTable(document).problems ?? [];

describe('a route table', () => {
  test('has what it does not say', () => {
    expect(parseTable(table({ path: '/x/*', service: 'a' })).table).toMatchObject({
      services: { a: { kind: 'other', sticky: 'none', health: '/readyz', healthInterval: 1_000 } },
      routes: [{ auth: 'bearer', timeout: 20_000, retries: 2, maxBodyBytes: 65_536, webSocket: false }],
    });
  });
  test('is read from YAML', () => {
    const text = `
services:
  orders:
    upstreams: [{ url: 'http://10.0.0.1:80', weight: 95 }, { url: 'http://10.0.0.2:80', weight: 5 }]
routes:
  - { path: '/v1/orders/:id', service: orders, methods: [GET], limit: 'address=60,window=1m' }`;
    // The port of the scheme is no part of an origin.
    expect(parseTableText(text).problems).toEqual([
      'services.orders.upstreams.0.url: must be an origin such as http://10.0.0.7:3001, without a path',
      'services.orders.upstreams.1.url: must be an origin such as http://10.0.0.7:3001, without a path',
    ]);
    expect(parseTableText(text.replaceAll(':80', ':8080')).table?.routes[0]?.limit).toEqual({
      address: 60,
      windowSeconds: 60,
    });
    expect(parseTableText('a: [').problems).toEqual([expect.stringMatching(/^is not YAML/)]);
  });
  test.each([
    ['nothing', {}, ['services: ', 'routes: ']],
    ['an unknown field', { ...table({ path: '/x', service: 'a' }), extra: 1 }, ['table: ']],
    ['a service that is not there', table({ path: '/x', service: 'b' }), ['routes.0.service: there is no service b']],
    [
      'a method twice',
      {
        ...table({ path: '/x', service: 'a' }),
        routes: [
          { path: '/x/:a', service: 'a' },
          { path: '/x/:b', service: 'a', methods: ['GET'] },
        ],
      },
      ['routes.1.path: GET /x/: is routes.0 already'],
    ],
    [
      'a document that is not there',
      table({ path: '/x', service: 'a', auth: 'document' }),
      ['routes.0.auth: the service a has no document'],
    ],
    [
      'a time that no timer holds',
      table({ path: '/x', service: 'a', timeout: '30d' }),
      ['routes.0.timeout: must be at most 24h'],
    ],
    [
      'weights of nothing',
      table({ path: '/x', service: 'a' }, { upstreams: [{ url: 'http://a:1', weight: 0 }] }),
      ['services.a.upstreams: needs an upstream whose weight is not 0'],
    ],
    [
      'an upstream twice',
      table({ path: '/x', service: 'a' }, { upstreams: [{ url: 'http://a:1' }, { url: 'http://a:1' }] }),
      ['services.a.upstreams: has an upstream twice'],
    ],
    [
      'two auth services',
      {
        services: { a: { ...service, kind: 'auth' }, b: { ...service, kind: 'auth' } },
        routes: [{ path: '/x', service: 'a' }],
      },
      ['services: only one can be of the kind auth'],
    ],
  ])('with %s is refused by place', (_name, document, expected) => {
    const found = problems(document);
    for (const text of expected) expect(found.some((problem) => problem.startsWith(text))).toBe(true);
  });
  test.each(['x', '/x//y', '/x/../y', '/x*', '/*/x', '/x?y', '/x#y', '/%2e', ''])('cannot have the path %s', (path) => {
    expect(problems(table({ path, service: 'a' })).some((problem) => problem.startsWith('routes.0.path: '))).toBe(true);
  });
  test('that is built in reaches the pages and the API of the auth service, and neither its metrics nor its probes', () => {
    const { routes, services } = defaultTable(['http://a:1', 'http://b:1']);
    expect(services['auth']?.upstreams.map(({ url, weight }) => [url, weight])).toEqual([
      ['http://a:1', 1],
      ['http://b:1', 1],
    ]);
    const paths = routes.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['/v1/*', '/.well-known/*', '/verify-email', '/reset-password.js']));
    expect(paths.filter((path) => /metrics|healthz|readyz|^\/\*/.test(path))).toEqual([]);
  });
});
