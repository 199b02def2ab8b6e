import { describe, expect, it } from '@jest/globals';
import jsQR from 'jsqr';

import { toQrCode } from './qr-code';

/** Paints the rectangles of the picture's path, four pixels to a cell. */
const paint = (svg: string): { data: Uint8ClampedArray; size: number } => {
  const size = Number(/viewBox="0 0 (\d+) \d+"/.exec(svg)?.[1]);
  const data = new Uint8ClampedArray(size * size * 4).fill(255);
  for (const [, x = '', y = '', width = ''] of svg.matchAll(/M(\d+),(\d+)l(\d+),0/g)) {
    for (let row = Number(y); row < Number(y) + Number(width); row += 1) {
      for (let column = Number(x); column < Number(x) + Number(width); column += 1) {
        data.set([0, 0, 0, 255], (row * size + column) * 4);
      }
    }
  }
  return { data, size };
};

describe('a QR code', () => {
  const svgOf = (text: string): string => {
    const [prefix, base64 = ''] = toQrCode(text).split(',');
    expect(prefix).toBe('data:image/svg+xml;base64');
    return Buffer.from(base64, 'base64').toString('utf8');
  };

  it.each([
    'otpauth://totp/Meqenet:abebe%40example.et?issuer=Meqenet&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    `otpauth://totp/Meqenet:${'a'.repeat(254)}?issuer=Meqenet&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA1`,
  ])('is read by an independent reader: %s', (text) => {
    const { data, size } = paint(svgOf(text));
    expect(jsQR(data, size, size)?.data).toBe(text);
  });

  it('is a picture and nothing else', () => {
    const svg = svgOf('"><script>alert(1)</script>');
    expect(svg).toMatch(/^<svg [^>]*>/);
    expect(svg).not.toMatch(/script|href|url\(|<image|<foreignObject| on\w+=/i);
  });
});
