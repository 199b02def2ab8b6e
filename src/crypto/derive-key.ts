import { hkdfSync } from 'node:crypto';

/** A 256-bit key for one purpose out of a root key (HKDF-SHA-256, RFC 5869), so that no key serves two algorithms. */
export const deriveKey = (rootKey: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', rootKey, Buffer.alloc(0), `meqenet-auth/${purpose}`, 32));
