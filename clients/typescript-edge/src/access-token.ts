import { errors, type JWTPayload, jwtVerify } from 'jose';

import type { Auth } from './auth';
import type { KeySet } from './key-set';
import { invalidToken } from './problem';

export interface AccessTokenOptions {
  /** `JWT_ISSUER` of the service: `meqenet.et`. */
  readonly issuer: string;
  /** `JWT_AUDIENCE` of the service: `meqenet-api`. */
  readonly audience: string;
  /**
   * The longest life of an access token, `JWT_EXPIRES_IN` of the service: 15 minutes. Revocations are remembered for so long,
   * and no token is taken that is older, whatever it says of itself.
   */
  readonly maxTokenLifeMs?: number;
  /** Clocks may differ by so much: 5 s. */
  readonly clockToleranceMs?: number;
}

export const DEFAULT_TOKEN_LIFE_MS = 900_000;
export const DEFAULT_CLOCK_TOLERANCE_MS = 5_000;

/** Access tokens have some 700 characters. */
const LONGEST_TOKEN = 8_192;

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** @throws {EdgeError} where a claim is missing or has another form */
const toAuth = ({ sub, sid, roles, acr, amr, auth_time: authTime }: JWTPayload): Auth => {
  const isComplete =
    typeof sub === 'string' &&
    typeof sid === 'string' &&
    isStrings(roles) &&
    typeof acr === 'string' &&
    isStrings(amr) &&
    typeof authTime === 'number';
  if (!isComplete) throw invalidToken('claims');
  return { userId: sub, sessionId: sid, roles, acr, amr, authTime: new Date(authTime * 1_000) };
};

export type VerifyAccessToken = (token: string) => Promise<Auth>;

/**
 * RFC 9068 and 8725, without asking anybody: signature (ES256 only), type `at+jwt`, issuer, audience, times.
 *
 * @throws {EdgeError} `invalid_token`, or `service_unavailable` where the keys cannot be had
 */
export const createAccessTokenVerifier = (options: AccessTokenOptions, { getKey }: KeySet): VerifyAccessToken => {
  const { issuer, audience, maxTokenLifeMs = DEFAULT_TOKEN_LIFE_MS } = options;
  const rules = {
    issuer,
    audience,
    algorithms: ['ES256'],
    typ: 'at+jwt',
    requiredClaims: ['exp', 'iat', 'jti'],
    clockTolerance: (options.clockToleranceMs ?? DEFAULT_CLOCK_TOLERANCE_MS) / 1_000,
    maxTokenAge: maxTokenLifeMs / 1_000,
  };
  return async (token) => {
    if (token.length > LONGEST_TOKEN) throw invalidToken('length');
    try {
      return toAuth((await jwtVerify(token, getKey, rules)).payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) throw invalidToken(error.code, error);
      throw error;
    }
  };
};
