import qrcode from 'qrcode-generator';

/** Unit of the picture, in its own coordinates; it scales. */
const CELL_SIZE = 4;
/** ISO/IEC 18004 wants four cells around. */
const MARGIN = 4 * CELL_SIZE;

/** A text as a QR code: data URI of an SVG that loads nothing and runs nothing. */
export const toQrCode = (text: string): string => {
  // The smallest that holds the text, with a quarter of it restorable.
  const qr = qrcode(0, 'M');
  qr.addData(text, 'Byte');
  qr.make();
  const svg = qr.createSvgTag({ cellSize: CELL_SIZE, margin: MARGIN, scalable: true });
  return `data:image/svg+xml;base64,${Buffer.from(svg, 'utf8').toString('base64')}`;
};
