import { expect, test } from '@jest/globals';

import { bearerTokenOf } from './bearer';

test('a token is what RFC 6750 calls one, after the scheme in any case', () => {
  for (const header of ['Bearer a.b-c_d~e+f/g==', 'bearer  a.b-c_d~e+f/g==', 'BEARER a.b-c_d~e+f/g=='])
    expect(bearerTokenOf(header)).toBe('a.b-c_d~e+f/g==');
  for (const header of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic abc',
    'Bearera',
    'Bearer a b',
    'Bearer a,b',
    ' Bearer a',
    'Bearer a='.repeat(2),
  ])
    expect(bearerTokenOf(header)).toBeUndefined();
});
