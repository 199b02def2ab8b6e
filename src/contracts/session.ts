import { z } from 'zod';

import { emailSchema, instantSchema, localeSchema, passwordAttemptSchema, phoneSchema, uuidSchema } from './identity';

export const ROLES = ['CUSTOMER', 'MERCHANT', 'SUPPORT', 'COMPLIANCE', 'DEVELOPER', 'ADMIN'] as const;
export type Role = (typeof ROLES)[number];

export const loginRequest = z.union([
  z.strictObject({ email: emailSchema, password: passwordAttemptSchema }).meta({ title: 'By e-mail address' }),
  z.strictObject({ phone: phoneSchema, password: passwordAttemptSchema }).meta({ title: 'By phone' }),
]);
export type LoginRequest = z.output<typeof loginRequest>;

/** 256 bits in base64url. */
export const refreshTokenSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, 'must be a refresh token')
  .meta({ description: 'Refresh token', example: 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE' });
export const refreshRequest = z.strictObject({ refreshToken: refreshTokenSchema });

/** Times in seconds. */
export const tokensResponse = z.object({
  tokenType: z.literal('Bearer'),
  accessToken: z.string().meta({
    description: 'JWT (RFC 9068), ES256',
    example: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjAxIn0.eyJzdWIiOiIwMTlhYzBkZSJ9.c2lnbmF0dXJl',
  }),
  expiresIn: z.int().meta({ description: 'Seconds', example: 900 }),
  refreshToken: refreshTokenSchema,
  refreshExpiresIn: z.int().meta({ description: 'Seconds', example: 604800 }),
  sessionId: uuidSchema,
  mfaEnrollmentRequired: z
    .literal(true)
    .meta({
      description:
        'The account has a role that needs an authenticator app or a passkey, and has neither: until one is set up and shown, the ' +
        'role is not in force and every other route answers `mfa_enrollment_required`. Absent where it is not so',
    })
    .optional(),
});
export type TokensResponse = z.output<typeof tokensResponse>;

/** A login on one device, as its owner sees it. */
export const sessionResponse = z.object({
  id: uuidSchema,
  createdAt: instantSchema,
  lastUsedAt: instantSchema.meta({ description: 'Login or last refresh' }),
  current: z.boolean().meta({ description: 'Whether the request was sent with a token of this session' }),
  userAgent: z.string().nullable().meta({ description: 'Kind of browser and system', example: 'Firefox on Android' }),
  ip: z.string().nullable().meta({ description: 'Address of the login, masked', example: '196.188.12.*' }),
});
export const sessionsResponse = z.object({ sessions: z.array(sessionResponse) });
export type SessionsResponse = z.output<typeof sessionsResponse>;

/** After a change of the phone (SIM swap): `high_risk` acts, such as a change of the address, and `payout`, money that leaves. */
export const RESTRICTED_ACTS = ['high_risk', 'payout'] as const;
export type RestrictedAct = (typeof RESTRICTED_ACTS)[number];
const restrictionSchema = z.object({ act: z.enum(RESTRICTED_ACTS), until: instantSchema });
export type Restriction = z.output<typeof restrictionSchema>;

export const userResponse = z.object({
  id: uuidSchema,
  email: z.string().meta({ description: 'E-mail address', example: 'abebe@example.et' }),
  emailVerified: z.boolean(),
  phone: z.string().nullable().meta({ description: 'Phone number, E.164', example: '+251911234567' }),
  phoneVerified: z
    .boolean()
    .meta({ description: 'Whether a code proved the phone; that of a registration is not yet' }),
  faydaId: z.string().nullable().meta({ description: 'Masked: only the last four digits', example: '********3471' }),
  firstName: z.string().nullable().meta({ description: 'Given name', example: 'Abebe' }),
  lastName: z.string().nullable().meta({ description: 'Name of the father', example: 'Bikila' }),
  locale: localeSchema,
  roles: z.array(z.enum(ROLES)),
  restrictions: z.array(restrictionSchema).meta({
    description: 'What the account may not do for now; honoured by every service. Empty where there is nothing',
  }),
  createdAt: instantSchema,
});
export type UserResponse = z.output<typeof userResponse>;

export const verifiedResponse = tokensResponse.extend({ user: userResponse });

/** A public key that verifies access tokens (RFC 7517, RFC 7518 section 6.2). */
export const jwkSchema = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string().meta({ example: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU' }),
  y: z.string().meta({ example: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' }),
  kid: z.string().meta({ example: '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11' }),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
});
export type Jwk = z.output<typeof jwkSchema>;

export const jwksResponse = z.object({ keys: z.array(jwkSchema) });
export type Jwks = z.output<typeof jwksResponse>;
