import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** NIST SP 800-38D: a 96-bit nonce, random for every message, and the full 128-bit tag. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM. @returns nonce, cipher text and tag in one buffer */
export const seal = (key: Buffer, plaintext: Uint8Array, associatedData: string): Buffer => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(associatedData, 'utf8'));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
};

/** Opens what `seal` made. @throws when anything, the associated data included, is not as it was sealed */
export const open = (key: Buffer, sealed: Uint8Array, associatedData: string): Buffer => {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new Error('The sealed value is too short');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(associatedData, 'utf8'));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
};
