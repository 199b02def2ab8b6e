import { createPrivateKey, randomUUID, sign } from 'node:crypto';

import { calculateJwkThumbprint, errors, exportJWK, exportPKCS8, generateKeyPair, importJWK, jwtVerify } from 'jose';
import { z } from 'zod';

import type { SecurityConfig } from '../config/security.config';
import { AppError } from '../contracts/errors';
import { type Jwk, jwkSchema, type Jwks, ROLES } from '../contracts/session';

import { createVerifiedTokens } from './verified-tokens';

const ALGORITHM = 'ES256';
/** RFC 9068, section 2.1: tells an access token from every other JWT. */
const TOKEN_TYPE = 'at+jwt';
/** The clients of today are Meqenet's own; registered OAuth clients would bring their own id. */
const CLIENT_ID = 'meqenet-first-party';

/** Seconds. */
const CLOCK_TOLERANCE = 5;
/** Tokens whose claims are kept, some 0.5 KiB each. */
const VERIFIED_TOKENS = 10_000;

interface SigningKeyRecord {
  readonly id: string;
  readonly algorithm: 'ES256';
  readonly publicJwk: Jwk;
  readonly privateKey: string;
}

/** Where the keys are kept. */
interface SigningKeyStore {
  findActive(create: () => Promise<SigningKeyRecord>): Promise<SigningKeyRecord>;
  findPublic(): Promise<Pick<SigningKeyRecord, 'id' | 'publicJwk'>[]>;
}

export interface AccessTokenSubject {
  readonly id: string;
  readonly userId: string;
  readonly roles: readonly string[];
  readonly acr: string;
  readonly amr: readonly string[];
  readonly authTime: Date;
}

const claimsSchema = z.object({ sub: z.uuid(), sid: z.uuid(), roles: z.array(z.enum(ROLES)) });
export type AccessTokenClaims = z.output<typeof claimsSchema>;

export interface AccessTokens {
  /** A signed JWT (RFC 9068). */
  issue(session: AccessTokenSubject): Promise<string>;
  /** Signature, algorithm, type, issuer, audience and times (RFC 8725). @throws {AppError} `invalid_token` */
  verify(token: string): Promise<AccessTokenClaims>;
  /** RFC 7517. */
  jwks(): Promise<Jwks>;
}

const generateKey = async (): Promise<SigningKeyRecord> => {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const id = await calculateJwkThumbprint(jwk);
  return {
    id,
    algorithm: ALGORITHM,
    publicJwk: jwkSchema.parse({ ...jwk, kid: id, alg: ALGORITHM, use: 'sig' }),
    privateKey: await exportPKCS8(privateKey),
  };
};

const base64url = (value: object): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');

/** Remembers the result of `load`; a failure is not remembered. */
const once = <T>(load: () => Promise<T>): (() => Promise<T>) => {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
};

export const createAccessTokens = (keys: SigningKeyStore, config: SecurityConfig['jwt']): AccessTokens => {
  const active = once(async () => {
    const record = await keys.findActive(generateKey);
    const header = base64url({ alg: ALGORITHM, typ: TOKEN_TYPE, kid: record.id });
    return { header, privateKey: createPrivateKey(record.privateKey) };
  });
  const publicKeys = once(async () => {
    await active();
    const records = await keys.findPublic();
    return {
      jwks: { keys: records.map(({ publicJwk }) => publicJwk) },
      byId: new Map(
        await Promise.all(
          records.map(async ({ id, publicJwk }) => [id, await importJWK(publicJwk, ALGORITHM)] as const),
        ),
      ),
    };
  });

  const verified = createVerifiedTokens<AccessTokenClaims>(VERIFIED_TOKENS);

  return {
    async issue(session) {
      const { header, privateKey } = await active();
      const now = Math.floor(Date.now() / 1_000);
      const claims = base64url({
        client_id: CLIENT_ID,
        sid: session.id,
        roles: session.roles,
        acr: session.acr,
        amr: session.amr,
        auth_time: Math.floor(session.authTime.getTime() / 1_000),
        iss: config.issuer,
        aud: config.audience,
        sub: session.userId,
        jti: randomUUID(),
        iat: now,
        exp: now + Math.floor(config.expiresInMs / 1_000),
      });
      // At once, in 0.04 ms: WebCrypto would wait in libuv's pool behind the password hashes. RFC 7518, section 3.4: r and s.
      const signature = sign('sha256', Buffer.from(`${header}.${claims}`), {
        key: privateKey,
        dsaEncoding: 'ieee-p1363',
      });
      return `${header}.${claims}.${signature.toString('base64url')}`;
    },

    async verify(token) {
      const known = verified.find(token);
      if (known !== undefined) return known;
      const { byId } = await publicKeys();
      try {
        const { payload } = await jwtVerify(
          token,
          ({ kid }) => {
            const key = byId.get(kid ?? '');
            if (key === undefined) throw new errors.JWKSNoMatchingKey();
            return key;
          },
          {
            algorithms: [ALGORITHM],
            typ: TOKEN_TYPE,
            issuer: config.issuer,
            audience: config.audience,
            requiredClaims: ['exp', 'iat', 'jti'],
            clockTolerance: CLOCK_TOLERANCE,
          },
        );
        const claims = claimsSchema.parse(payload);
        verified.add(token, claims, ((payload.exp ?? 0) + CLOCK_TOLERANCE) * 1_000);
        return claims;
      } catch (error) {
        if (error instanceof errors.JOSEError || error instanceof z.ZodError)
          throw new AppError('invalid_token', { cause: error });
        throw error;
      }
    },

    jwks: async () => (await publicKeys()).jwks,
  };
};
