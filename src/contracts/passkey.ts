import { z } from 'zod';

import { instantSchema, uuidSchema } from './identity';
import { enrollmentRequest, mfaTokenSchema } from './mfa';

/** Passkeys of one account at once. */
export const MAX_PASSKEYS = 20;
/** A challenge of a login or of a step-up may be answered for so long, milliseconds. */
export const PASSKEY_CHALLENGE_MS = 300_000;

/** Bytes in base64url; the bound is on what is written, not on the bytes. */
const base64url = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url without padding');
/** WebAuthn level 3, section 4: at most 1023 bytes. */
const credentialId = base64url(1_364);
const transports = z.array(z.string().max(32)).max(8);

/** What browsers add to the members below is dropped: each version of theirs may add more. */
const credentialOf = <Shape extends z.ZodRawShape>(response: z.ZodObject<Shape>, example: object) =>
  z
    .object({ id: credentialId, rawId: credentialId, type: z.literal('public-key'), response })
    .meta({ description: '`credential.toJSON()` of the browser (WebAuthn level 3)', example });

const ID = 'AAAAAAAAAAAAAAAAAAAAAA';
const common = { id: ID, rawId: ID, type: 'public-key' };

/** `RegistrationResponseJSON`. */
export const registrationCredential = credentialOf(
  z.object({
    clientDataJSON: base64url(4_096),
    attestationObject: base64url(32_768),
    transports: transports.optional(),
  }),
  { ...common, response: { clientDataJSON: 'e30', attestationObject: 'oA', transports: ['internal'] } },
);
export type RegistrationCredential = z.output<typeof registrationCredential>;

/** `AuthenticationResponseJSON`. */
export const authenticationCredential = credentialOf(
  z.object({
    clientDataJSON: base64url(4_096),
    authenticatorData: base64url(8_192),
    signature: base64url(4_096),
    /** Old browsers write nothing as an empty text. */
    userHandle: z.union([base64url(88), z.literal('')]).nullish(),
  }),
  { ...common, response: { clientDataJSON: 'e30', authenticatorData: 'AA', signature: 'AA', userHandle: 'AA' } },
);
export type AuthenticationCredential = z.output<typeof authenticationCredential>;

const descriptor = z.object({
  id: z.string().meta({ description: 'Of the passkey, base64url', example: ID }),
  type: z.literal('public-key'),
  transports: z.array(z.string().meta({ example: 'internal' })).optional(),
});
const userVerification = z.literal('required');
const rpId = z.string().meta({ description: 'Relying party: a domain', example: 'meqenet.et' });
const challenge = z
  .string()
  .meta({ description: '256 bits in base64url', example: 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE' });
const timeout = z.int().meta({ description: 'Milliseconds', example: PASSKEY_CHALLENGE_MS });

/** `PublicKeyCredentialCreationOptionsJSON`. */
export const creationOptions = z
  .object({
    rp: z.object({ id: rpId, name: z.string().meta({ example: 'Meqenet' }) }),
    user: z.object({
      id: z.string().meta({ description: 'User handle, base64url', example: 'AZrA3lscfy6cOT-aTR8KEQ' }),
      name: z.string().meta({ example: 'abebe@example.et' }),
      displayName: z.string().meta({ example: 'Abebe Bikila' }),
    }),
    challenge,
    pubKeyCredParams: z.array(
      z.object({
        type: z.literal('public-key'),
        alg: z.int().meta({ description: 'COSE algorithm (RFC 9053)', example: -7 }),
      }),
    ),
    timeout,
    excludeCredentials: z.array(descriptor),
    authenticatorSelection: z.object({
      residentKey: z.literal('required'),
      requireResidentKey: z.literal(true),
      userVerification,
    }),
    attestation: z.literal('none'),
    extensions: z.object({ credProps: z.literal(true) }),
  })
  .meta({ description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON` (WebAuthn level 3)' });
export type CreationOptions = z.input<typeof creationOptions>;

/** `PublicKeyCredentialRequestOptionsJSON`. */
export const requestOptions = z
  .object({
    rpId,
    challenge,
    timeout,
    allowCredentials: z.array(descriptor),
    userVerification,
  })
  .meta({ description: 'For `PublicKeyCredential.parseRequestOptionsFromJSON` (WebAuthn level 3)' });
export type RequestOptions = z.input<typeof requestOptions>;

export const passkeyRegistrationRequest = enrollmentRequest.pick({ label: true });
export const passkeyRegistrationResponse = z.object({
  enrollmentId: uuidSchema,
  publicKey: creationOptions,
  expiresAt: instantSchema,
});
export type PasskeyRegistrationResponse = z.input<typeof passkeyRegistrationResponse>;
export const passkeyRegistration = z.strictObject({ enrollmentId: uuidSchema, credential: registrationCredential });
export type PasskeyRegistration = z.output<typeof passkeyRegistration>;

export const passkeyLoginRequest = z.strictObject({ mfaToken: mfaTokenSchema.optional() });
export type PasskeyLoginRequest = z.output<typeof passkeyLoginRequest>;
export const passkeyOptionsResponse = z.object({ publicKey: requestOptions, expiresAt: instantSchema });
export type PasskeyOptionsResponse = z.input<typeof passkeyOptionsResponse>;
export const passkeyAssertion = z.strictObject({ credential: authenticationCredential });
export type PasskeyAssertion = z.output<typeof passkeyAssertion>;

/** A passkey as browsers are told of it. */
export interface PasskeyDescriptor {
  readonly credentialId: Uint8Array<ArrayBuffer>;
  readonly transports: readonly string[];
}

/** A passkey that has just been made. */
export interface NewPasskey extends PasskeyDescriptor {
  /** COSE key (RFC 9052). */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly signCount: number;
  /** Whether it can leave its device (synced); never changes. */
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
  /** Model of the authenticator, a UUID; not attested. */
  readonly aaguid: string;
}
