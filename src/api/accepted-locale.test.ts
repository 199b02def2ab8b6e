import { expect, test } from '@jest/globals';

import { acceptedLocale } from './accepted-locale';

test.each([
  ['am', 'am'],
  ['am-ET,am;q=0.9,en;q=0.5', 'am'],
  ['AM', 'am'],
  ['en;q=0.5,am', 'am'],
  ['am;q=0.1,en-GB', 'en'],
  // Of somebody who speaks Tigrinya, and after that Amharic rather than English.
  ['ti,am;q=0.9,en;q=0.8', 'am'],
  ['am;q=0,en', 'en'],
  ['fr', undefined],
  ['', undefined],
  [undefined, undefined],
])('of %j it is %s', (acceptLanguage, locale) => {
  expect(acceptedLocale(acceptLanguage)).toBe(locale);
});
