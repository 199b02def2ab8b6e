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
  return {
    encode: (list, position) =>
      `${Buffer.from(position).toString('base64url')}.${sign(list, position).toString('base64url')}`,
    decode: (list, cursor) => {
      const [, encoded = '', signature = ''] = FORMAT.exec(cursor) ?? [];
      const position = Buffer.from(encoded, 'base64url').toString();
      const isOurs = signature !== '' && timingSafeEqual(sign(list, position), Buffer.from(signature, 'base64url'));
      return isOurs ? position : undefined;
    },
  };
};
