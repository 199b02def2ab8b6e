import { z } from 'zod';

import { duration, reloadable, text } from './fields';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

export const tokensEnv = z.object({
  JWT_ISSUER: text('meqenet.et', 'Issuer (iss) of access tokens'),
  JWT_AUDIENCE: text('meqenet-api', 'Audience (aud) of access tokens'),
  JWT_EXPIRES_IN: reloadable(duration('15m', 'Life of an access token')),
  SIGNING_KEY_ROTATION_INTERVAL: duration('30d', 'A new key signs access tokens so often', SECOND_MS),
  SIGNING_KEY_OVERLAP: duration(
    '15m',
    'A signing key is published so long before it is used, and kept so long after its last token; clients may cache the key set for up to half of it',
    SECOND_MS / 2,
  ),
});

/**
 * The times of a key rotation, all from one overlap so that they cannot disagree: a client that cached the key set of a
 * process whose view was old still knows every key before its first token (`staleAfterMs` + `jwksMaxAgeSeconds` is at most
 * the overlap), and a key goes when the last token of the last process that still signed with it has ended, clock skew included.
 */
const toSigningKeys = (rotationIntervalMs: number, overlapMs: number, tokenMs: number) => ({
  rotationIntervalMs,
  overlapMs,
  /** Age at which a process asks the database for the keys again. */
  refreshAfterMs: Math.min(MINUTE_MS, overlapMs / 4),
  /** Age up to which it uses them while the database does not answer. */
  staleAfterMs: overlapMs / 2,
  /** `Cache-Control` of the key set. */
  jwksMaxAgeSeconds: Math.floor(Math.min(5 * MINUTE_MS, overlapMs / 2) / SECOND_MS),
  /** A retired key verifies for so long. */
  retainMs: tokenMs + overlapMs,
});

/** Access tokens and the keys that sign them. Times are milliseconds. */
export const toTokensConfig = (env: z.output<typeof tokensEnv>) => ({
  jwt: { issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE, expiresInMs: env.JWT_EXPIRES_IN },
  signingKeys: toSigningKeys(env.SIGNING_KEY_ROTATION_INTERVAL, env.SIGNING_KEY_OVERLAP, env.JWT_EXPIRES_IN),
});
export type TokensConfig = ReturnType<typeof toTokensConfig>;
