import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { createCursors } from './cursor';

const cursors = createCursors(Buffer.alloc(32, 1));
const strangers = createCursors(Buffer.alloc(32, 2));
/** Positions are ids and instants; what they hold must survive as it is, whatever it is. */
const position = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => text.isWellFormed());
const list = fc.string({ maxLength: 40 });
const RUNS = { numRuns: 500 };

describe('a cursor', () => {
  test('gives the position back for its list, and for no other', () => {
    fc.assert(
      fc.property(list, list, position, (own, other, place) => {
        const cursor = cursors.encode(own, place);
        if (cursor.length <= 244) expect(cursors.decode(own, cursor)).toBe(place);
        if (other !== own) expect(cursors.decode(other, cursor)).toBeUndefined();
        expect(strangers.decode(own, cursor)).toBeUndefined();
      }),
      RUNS,
    );
  });
  test('that was altered anywhere is none', () => {
    fc.assert(
      fc.property(list, position, fc.nat(), fc.string({ maxLength: 3 }), (own, place, at, change) => {
        const cursor = cursors.encode(own, place);
        const index = at % cursor.length;
        const altered = cursor.slice(0, index) + change + cursor.slice(index + 1);
        if (altered !== cursor) expect([altered, cursors.decode(own, altered)]).toEqual([altered, undefined]);
      }),
      RUNS,
    );
  });
  test('has one spelling, although base64 has several of the same bytes', () => {
    const cursor = cursors.encode('users', 'a');
    const bytesOf = (text: string) => Buffer.from(text.split('.')[1]!, 'base64url');
    const spellings = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
      .map((last) => cursor.slice(0, -1) + last)
      .filter((text) => text !== cursor && bytesOf(text).equals(bytesOf(cursor)));
    expect(spellings).toHaveLength(3);
    for (const spelling of spellings) expect(cursors.decode('users', spelling)).toBeUndefined();
  });
  test('of any text is none, and no error escapes', () => {
    fc.assert(
      fc.property(list, fc.oneof(fc.string({ maxLength: 600 }), fc.base64String({ maxLength: 300 })), (own, text) => {
        expect(cursors.decode(own, text)).toBeUndefined();
        expect(cursors.decode(own, `${text}.${'A'.repeat(43)}`)).toBeUndefined();
      }),
      RUNS,
    );
  });
});
