import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits, base64url. */
export const newOpaqueToken = (): string => randomBytes(32).toString('base64url');

/** What is stored of a token: it has its full entropy, so no key and no salt are needed. */
export const hashOpaqueToken = (token: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(createHash('sha256').update(token).digest());
