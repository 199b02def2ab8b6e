import { errors, type CryptoKey, type JWSHeaderParameters, jwtVerify } from 'jose';
import { z } from 'zod';

import { AppError } from '../contracts/errors';
import { ROLES } from '../contracts/session';

import { SIGNING_ALGORITHM } from './signing-key';
import { createVerifiedTokens } from './verified-tokens';

/** RFC 9068, section 2.1: tells an access token from every other JWT. */
export const TOKEN_TYPE = 'at+jwt';

/** Seconds. */
const CLOCK_TOLERANCE = 5;
/** Tokens whose claims are kept, some 0.5 KiB each. */
const VERIFIED_TOKENS = 10_000;

const claimsSchema = z.object({ sub: z.uuid(), sid: z.uuid(), roles: z.array(z.enum(ROLES)), exp: z.number() });
export type AccessTokenClaims = z.output<typeof claimsSchema>;

/** The public keys, as whoever verifies has them. */
export interface VerificationKeys {
  /** The key that the header of a token names. @returns undefined where there is no such key */
  readonly find: (header: JWSHeaderParameters) => Promise<CryptoKey | Uint8Array | undefined>;
  /** Whether a key by which a token was verified is there still. */
  readonly has: (keyId: string) => boolean | Promise<boolean>;
}

interface VerifiedToken {
  readonly claims: AccessTokenClaims;
  readonly keyId: string;
}

/**
 * Checks access tokens: signature, algorithm, type, issuer, audience and times (RFC 8725). What one process accepts every
 * other does.
 */
export const createAccessTokenVerifier = (
  keys: VerificationKeys,
  config: { readonly issuer: string; readonly audience: string },
) => {
  const verified = createVerifiedTokens<VerifiedToken>(VERIFIED_TOKENS);

  /** @throws {JOSEError} {ZodError} */
  const check = async (token: string): Promise<AccessTokenClaims> => {
    const { payload, protectedHeader } = await jwtVerify(
      token,
      async (header) => {
        const key = await keys.find(header);
        if (key === undefined) throw new errors.JWKSNoMatchingKey();
        return key;
      },
      {
        algorithms: [SIGNING_ALGORITHM],
        typ: TOKEN_TYPE,
        issuer: config.issuer,
        audience: config.audience,
        requiredClaims: ['exp', 'iat', 'jti'],
        clockTolerance: CLOCK_TOLERANCE,
      },
    );
    const claims = claimsSchema.parse(payload);
    verified.add(token, { claims, keyId: protectedHeader.kid ?? '' }, (claims.exp + CLOCK_TOLERANCE) * 1_000);
    return claims;
  };

  /** @throws {AppError} `invalid_token`; and whatever the keys throw */
  return async (token: string): Promise<AccessTokenClaims> => {
    const known = verified.find(token);
    // Verified before; worth nothing once its key is gone.
    if (known !== undefined && (await keys.has(known.keyId))) return known.claims;
    try {
      return await check(token);
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof z.ZodError)
        throw new AppError('invalid_token', { cause: error });
      throw error;
    }
  };
};
