import { describe, expect, test } from '@jest/globals';
import createRouter from 'find-my-way';
import fc from 'fast-check';

import { AppError } from '../contracts/errors';

import { readTarget } from './target';

const read = (url: string) => {
  try {
    return readTarget(url);
  } catch (error) {
    if (error instanceof AppError && error.code === 'malformed_request') return undefined;
    throw error;
  }
};

/** Pieces of which hostile paths are made, and harmless ones. */
const piece = fc.constantFrom(
  ...[
    '/',
    '//',
    '.',
    '..',
    '%2e',
    '%2E',
    '%2f',
    '%5c',
    '%00',
    '%',
    '%25',
    '%61',
    ';',
    '\\',
    '#',
    '?',
    'a',
    'v1',
    '%c3%a4',
    '@',
    ':',
  ],
);
const hostile = fc.array(piece, { maxLength: 12 }).map((parts) => `/${parts.join('')}`);

describe('a request target', () => {
  test('that is accepted has a path which nobody can read in another way', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.webPath(), fc.string()), (url) => {
        const target = read(url);
        if (target === undefined) return;
        const { path, query } = target;
        expect(path).toMatch(/^\/[\x21-\x7e]*$/);
        expect(path.slice(0, -1)).not.toMatch(/\/\/|\\/);
        expect(path).not.toMatch(/%(2f|5c|00|2e)/i);
        // Reading it as browsers and other servers do changes nothing.
        expect(new URL(`http://a${path}`).pathname).toBe(path);
        expect(query === '' || query.startsWith('?')).toBe(true);
        // Reading it again changes nothing.
        expect(read(path + query)?.path).toBe(path);
      }),
      { numRuns: 2_000 },
    );
  });
  test('finds the same route before and after it was read', () => {
    const router = createRouter();
    for (const path of ['/v1/*', '/v1/:a', '/v1/:a/b']) router.on('GET', path, () => undefined, path);
    fc.assert(
      fc.property(hostile, (url) => {
        const target = read(`/v1${url}`);
        if (target === undefined) return;
        const [raw = ''] = `/v1${url}`.split('?');
        expect(router.find('GET', target.path)?.store).toBe(router.find('GET', raw)?.store);
      }),
    );
  });
  test.each([
    ['/', '/', ''],
    ['/v1/auth/login', '/v1/auth/login', ''],
    ['/a%2d%7E%c3%a4?x=%2e', '/a-~%C3%A4', '?x=%2e'],
    ['http://a.example', '/', ''],
    ['https://a.example:8443/x?y', '/x', '?y'],
    ['/a/', '/a/', ''],
    ['/a;b=c/d', '/a;b=c/d', ''],
    ['/%252e%252e/x', '/%252e%252e/x', ''],
  ])('%s is %s', (url, path, query) => {
    expect(read(url)).toMatchObject({ path, query });
  });
  test.each([
    '',
    'x',
    '*',
    'a.example:443',
    'http://',
    'http://u:p@a/x',
    '//a/b',
    '/a/..',
    '/..;/a',
    '/.%2e/',
    '/a%',
    '/ä',
  ])('%s is refused', (url) => {
    expect(read(url)).toBeUndefined();
  });
});
