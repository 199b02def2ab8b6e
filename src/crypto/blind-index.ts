import { createHmac } from 'node:crypto';

import type { BlindIndex } from '../contracts/data-protection';

/** HMAC-SHA-256 under a key of its own; the field's name keeps equal texts of different fields apart. */
export const createBlindIndex = (key: Buffer): BlindIndex => ({
  of: (field, normalisedValue) =>
    Uint8Array.from(createHmac('sha256', key).update(`${field}\0${normalisedValue}`, 'utf8').digest()),
});
