import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { clientAddress } from './client';
import { answerHeaders, checkHeaders, headerOf, requestHeaders } from './headers';
import { traceHeaders } from './trace';

const RESERVED = [
  ...['X-Forwarded-For', 'X-Forwarded-Host', 'X-FORWARDED-PROTO', 'X-Forwarded', 'Forwarded', 'X-Real-IP', 'X-User-Id'],
  ...['x-user-roles', 'X_User_Id', 'X-Internal-Anything', 'X-Gateway-Secret', 'x_gateway_secret', 'X-Session-Id'],
  ...['True-Client-IP', 'X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override', 'X-Request-Id', 'traceparent'],
];
const HOP_BY_HOP = [
  ...[
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
  ],
];
const NAMES = [...RESERVED, ...HOP_BY_HOP, 'Accept', 'Authorization', 'Cookie', 'Idempotency-Key', 'X-Other'];

const randomCase = (name: string) =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((upper) =>
      [...name].map((letter, index) => (upper[index] === true ? letter.toUpperCase() : letter.toLowerCase())).join(''),
    );
const headers = fc
  .array(
    fc.tuple(
      fc.constantFrom(...NAMES).chain(randomCase),
      fc.oneof(fc.constantFrom('close', 'x-other, accept', 'cookie'), fc.string({ unit: 'grapheme-ascii' })),
    ),
    { maxLength: 20 },
  )
  .map((pairs) => pairs.flat());
const namesIn = (raw: readonly string[]) => raw.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());

describe('headers of a request', () => {
  test('never hold what is of one connection, what only the gateway says, or what Connection names', () => {
    const forbidden = new Set([...RESERVED, ...HOP_BY_HOP].map((name) => name.toLowerCase()));
    fc.assert(
      fc.property(headers, (raw) => {
        const kept = requestHeaders(raw);
        const named = raw
          .filter((_, index) => raw[index - 1]?.toLowerCase() === 'connection' && index % 2 === 1)
          .flatMap((value) => value.split(','))
          .map((token) => token.trim().toLowerCase());
        expect(namesIn(kept).filter((name) => forbidden.has(name) || named.includes(name))).toEqual([]);
        // What is left is as it was, in the order in which it was.
        expect(requestHeaders(kept)).toEqual(kept);
      }),
    );
  });
  test('keep the rest, values and order', () => {
    const raw = ['Accept', '*/*', 'Cookie', 'a=b', 'cookie', 'c=d', 'X-Other', '1'];
    expect(requestHeaders(raw)).toEqual(raw);
  });
  test.each(['Host', 'Authorization', 'Content-Type', 'Idempotency-Key'])('%s may not be there twice', (name) => {
    expect(() => checkHeaders(['host', 'a', name, '1', name.toLowerCase(), '2'])).toThrow('is there twice');
    expect(() => checkHeaders(['Host', 'a'])).not.toThrow();
  });
  test('are not too many, and have a host', () => {
    expect(() => checkHeaders(['Host', 'a', ...Array.from({ length: 200 }, () => 'x')])).toThrow('too large');
    expect(() => checkHeaders([])).toThrow('no Host');
    expect(() => checkHeaders([], true)).not.toThrow();
  });
});

test('headers of an answer keep what is the upstream’s to say', () => {
  const raw = [
    'Set-Cookie',
    'a=1',
    'Set-Cookie',
    'b=2',
    'Connection',
    'X-Hop',
    'X-Hop',
    '1',
    'Server',
    'x',
    'ETag',
    '"1"',
  ];
  const buffers = raw.map((text) => Buffer.from(text));
  expect(answerHeaders(buffers)).toEqual(['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'ETag', '"1"']);
  expect(headerOf(raw, 'etag')).toBe('"1"');
});

describe('a trace', () => {
  const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  test('that is well-formed is taken over with its state', () => {
    expect(traceHeaders(parent, 'a=b')).toEqual(['traceparent', parent, 'tracestate', 'a=b']);
    expect(traceHeaders(`cc${parent.slice(2)}-what-comes`, undefined)[1]).toBe(`cc${parent.slice(2)}-what-comes`);
  });
  test.each([
    undefined,
    '',
    parent.toUpperCase(),
    `ff${parent.slice(2)}`,
    `${parent}-more`,
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`,
    `${parent}, ${parent}`,
  ])('that is %s is made anew', (given) => {
    const [name, made, ...rest] = traceHeaders(given, 'a=b');
    expect([name, rest]).toEqual(['traceparent', []]);
    expect(made).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(made).not.toBe(traceHeaders(given, undefined)[1]);
  });
});

describe('the address of a client', () => {
  test.each([
    ['::ffff:10.0.0.1', undefined, 0, '10.0.0.1'],
    ['10.0.0.1', '6.6.6.6', 0, '10.0.0.1'],
    ['10.0.0.1', '6.6.6.6, 1.2.3.4', 1, '1.2.3.4'],
    ['10.0.0.1', '6.6.6.6, 1.2.3.4, 10.0.0.9', 2, '1.2.3.4'],
    ['10.0.0.1', '1.2.3.4', 3, '1.2.3.4'],
    ['10.0.0.1', '2001:db8::1', 1, '2001:db8::1'],
    ['10.0.0.1', 'unknown', 1, '10.0.0.1'],
    ['10.0.0.1', '1.2.3.4, ', 1, '10.0.0.1'],
  ])('%s with %s behind %i proxies is %s', (connection, forwarded, hops, expected) => {
    expect(clientAddress(connection, forwarded, hops)).toBe(expected);
  });
});
