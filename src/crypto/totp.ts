import { randomBytes } from 'node:crypto';

import { Secret, TOTP } from 'otpauth';

/** RFC 4226, section 4, recommends 160 bits. */
const SECRET_BYTES = 20;
const DIGITS = 6;
/** Seconds of a time step (RFC 6238, section 4.1). */
const PERIOD = 30;
/** Steps that a clock may be ahead or behind (RFC 6238, section 5.2: one). */
const DRIFT = 1;
const ISSUER = 'Meqenet';
/** Only these: the library throws at other texts of six characters, such as full-width digits. */
const CODE = /^\d{6}$/;

export interface Totp {
  /** A new secret, base32. */
  newSecret(): string;
  /**
   * The time step that the code belongs to, undefined where it is wrong. A step is good once (RFC 6238, section 5.2): the
   * caller keeps the last one that was accepted and takes only later ones (keycloak#13607).
   */
  match(secret: string, code: string): number | undefined;
  /** What authenticator apps read: the key URI, with the account's name in it. */
  keyUri(secret: string, account: string): string;
}

/**
 * Codes of authenticator apps: SHA-1, six digits, 30 seconds, which is what all of those apps support.
 *
 * @param now milliseconds since 1970
 */
export const createTotp = (now: () => number = Date.now): Totp => {
  const totpOf = (secret: string, label = ''): TOTP =>
    new TOTP({
      issuer: ISSUER,
      label,
      algorithm: 'SHA1',
      digits: DIGITS,
      period: PERIOD,
      secret: Secret.fromBase32(secret),
    });

  return {
    newSecret() {
      const bytes = randomBytes(SECRET_BYTES);
      // A copy: small buffers of Node share their memory with others.
      return new Secret({ buffer: Uint8Array.from(bytes).buffer }).base32;
    },
    match(secret, code) {
      if (!CODE.test(code)) return undefined;
      const timestamp = now();
      const totp = totpOf(secret);
      // Compared in constant time.
      const delta = totp.validate({ token: code, timestamp, window: DRIFT });
      return delta === null ? undefined : totp.counter({ timestamp }) + delta;
    },
    keyUri: (secret, account) => totpOf(secret, account).toString(),
  };
};
