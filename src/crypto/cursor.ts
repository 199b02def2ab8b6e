import { createHmac, timingSafeEqual } from 'node:crypto';

const FORMAT = /^([A-Za-z0-9_-]{1,200})\.([A-Za-z0-9_-]{43})$/;

/** Cursors of pages: where the next page starts, signed for one list with its filters. */
export interface Cursors {
  encode(list: string, position: string): string;
  /** Undefined for a cursor that was made up, altered, or made for another list. */
  decode(list: string, cursor: string): string | undefined;
}

export const createCursors = (key: Buffer): Cursors => {
  const sign = (list: string, position: string): Buffer =>
    createHmac('sha256', key)
      .update(JSON.stringify([list, position]))
      .digest();
  const encode = (list: string, position: string): string =>
    `${Buffer.from(position).toString('base64url')}.${sign(list, position).toString('base64url')}`;
  return {
    encode,
    decode: (list, cursor) => {
      const [, encoded] = FORMAT.exec(cursor) ?? [];
      if (encoded === undefined) return undefined;
      const position = Buffer.from(encoded, 'base64url').toString();
      // Compared as they are written: several texts are the same bytes in base64.
      const [ours, given] = [Buffer.from(encode(list, position)), Buffer.from(cursor)];
      return ours.length === given.length && timingSafeEqual(ours, given) ? position : undefined;
    },
  };
};
