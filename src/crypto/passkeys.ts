import { createHash, createHmac, randomBytes } from 'node:crypto';

import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { cose, decodeAttestationObject, decodeCredentialPublicKey, isoCBOR } from '@simplewebauthn/server/helpers';

import type {
  AuthenticationCredential,
  CreationOptions,
  NewPasskey,
  PasskeyDescriptor,
  RegistrationCredential,
  RequestOptions,
} from '../contracts/passkey';

import { deriveKey } from './derive-key';

type Bytes = Uint8Array<ArrayBuffer>;

/** The domain that passkeys belong to, and the web origins and apps in which they may be used. */
export interface RelyingParty {
  readonly id: string;
  readonly name: string;
  readonly origins: readonly string[];
}

/** What an assertion says, once its signature has been found to be right. */
export interface Assertion {
  readonly signCount: number;
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
}

export interface Passkeys {
  /** 256 random bits, base64url. */
  newChallenge(): string;
  /** What is stored of a challenge. */
  hashChallenge(challenge: string): Bytes;
  /** The challenge that a response claims to answer; undefined where it has none. */
  challengeOf(credential: AuthenticationCredential): string | undefined;
  /** Opaque id of an account (64 bytes): authenticators keep it, and it tells nothing of the person. */
  userHandle(userId: string): Bytes;
  creationOptions(params: {
    readonly challenge: string;
    readonly userId: string;
    /** Shown in the list of accounts by the authenticator. */
    readonly userName: string;
    readonly existing: readonly PasskeyDescriptor[];
    readonly timeoutMs: number;
  }): Promise<CreationOptions>;
  requestOptions(params: {
    readonly challenge: string;
    readonly allowed: readonly PasskeyDescriptor[];
    readonly timeoutMs: number;
  }): Promise<RequestOptions>;
  /** Undefined where anything is wrong with it. */
  verifyRegistration(challenge: string, credential: RegistrationCredential): Promise<NewPasskey | undefined>;
  /** Undefined where anything is wrong with it. The sign count is for the caller to compare. */
  verifyAssertion(
    challenge: string,
    credential: AuthenticationCredential,
    publicKey: Bytes,
  ): Promise<Assertion | undefined>;
  /** A public key of no account: what is unknown is verified against it, which takes the same time, and refused. */
  readonly decoyPublicKey: Bytes;
}

const CHALLENGE_BYTES = 32;
const { COSEALG, COSECRV, COSEKEYS } = cose;
/** In the order of preference. */
const ALGORITHMS = [COSEALG.ES256, COSEALG.EdDSA, COSEALG.RS256];
const RSA_MIN_BYTES = 256;
const RSA_MAX_BYTES = 512;
/** Twice the generator of P-256: a point on the curve. Whoever signs with its private key (2) proves nothing. */
const DECOY_X = '7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978';
const DECOY_Y = '07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1';

const bytesOf = (base64url: string): Bytes => Uint8Array.from(Buffer.from(base64url, 'base64url'));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** On the curve that its algorithm names, and of a size that is neither weak nor a burden. */
const isSoundKey = (publicKey: Uint8Array<ArrayBuffer>): boolean => {
  const key = decodeCredentialPublicKey(publicKey);
  if (cose.isCOSEPublicKeyRSA(key)) {
    const size = key.get(COSEKEYS.n)?.length ?? 0;
    return size >= RSA_MIN_BYTES && size <= RSA_MAX_BYTES && (key.get(COSEKEYS.e)?.length ?? 9) <= 4;
  }
  const curve = key.get(COSEKEYS.alg) === COSEALG.ES256 ? COSECRV.P256 : COSECRV.ED25519;
  return (cose.isCOSEPublicKeyEC2(key) || cose.isCOSEPublicKeyOKP(key)) && key.get(COSEKEYS.crv) === curve;
};

/**
 * The same without its attestation statement. None is asked for and nothing depends on one, but some authenticators send one
 * all the same, and the library would fetch whatever URLs the certificates in it name (revocation lists).
 */
const withoutAttestation = (attestationObject: string): string => {
  const authData = decodeAttestationObject(bytesOf(attestationObject)).get('authData');
  const bare = new Map<string, unknown>([
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', authData],
  ]);
  return textOf(isoCBOR.encode(bare as Parameters<typeof isoCBOR.encode>[0]));
};

/** In a frame of another site somebody could be made to press a button that they do not see. */
const clientDataOf = (clientDataJSON: string): { readonly challenge?: unknown; readonly crossOrigin?: unknown } => {
  const parsed: unknown = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('Client data is an object');
  return parsed;
};

/** What a library throws at bytes of strangers says that they are wrong, and nothing else. */
const orUndefined = async <T>(work: () => Promise<T | undefined>): Promise<T | undefined> => {
  try {
    return await work();
  } catch {
    return undefined;
  }
};

const toDescriptor = ({ credentialId, transports }: PasskeyDescriptor) => ({
  id: textOf(credentialId),
  transports: [...transports],
});

/**
 * WebAuthn level 3 (sections 7.1 and 7.2): discoverable credentials with user verification, so that one passkey is two factors;
 * no attestation.
 *
 * @param rootKey that user handles are derived from
 */
export const createPasskeys = (party: RelyingParty, rootKey: Buffer): Passkeys => {
  const handleKey = deriveKey(rootKey, 'passkey-user-handle');
  const userHandle = (userId: string): Bytes =>
    Uint8Array.from(createHmac('sha512', handleKey).update(userId).digest());
  const expected = { expectedOrigin: [...party.origins], expectedRPID: party.id, requireUserVerification: true };

  return {
    newChallenge: () => randomBytes(CHALLENGE_BYTES).toString('base64url'),
    hashChallenge: (challenge) => Uint8Array.from(createHash('sha256').update(challenge).digest()),

    challengeOf({ response }) {
      try {
        const { challenge } = clientDataOf(response.clientDataJSON);
        return typeof challenge === 'string' ? challenge : undefined;
      } catch {
        return undefined;
      }
    },

    userHandle,

    async creationOptions({ challenge, userId, userName, existing, timeoutMs }) {
      const options = await generateRegistrationOptions({
        ...{ rpID: party.id, rpName: party.name, userName, userDisplayName: userName, timeout: timeoutMs },
        ...{ challenge: bytesOf(challenge), userID: userHandle(userId), attestationType: 'none' },
        excludeCredentials: existing.map(toDescriptor),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        supportedAlgorithmIDs: ALGORITHMS,
      });
      return options as CreationOptions;
    },

    async requestOptions({ challenge, allowed, timeoutMs }) {
      const options = await generateAuthenticationOptions({
        ...{ rpID: party.id, challenge: bytesOf(challenge), timeout: timeoutMs, userVerification: 'required' },
        allowCredentials: allowed.map(toDescriptor),
      });
      return options as RequestOptions;
    },

    verifyRegistration: (challenge, { response, ...rest }) =>
      orUndefined(async () => {
        if (clientDataOf(response.clientDataJSON).crossOrigin === true) return undefined;
        const bare = { ...response, attestationObject: withoutAttestation(response.attestationObject) };
        const { verified, registrationInfo: info } = await verifyRegistrationResponse({
          ...expected,
          response: { ...rest, response: bare, clientExtensionResults: {} } as RegistrationResponseJSON,
          expectedChallenge: challenge,
          supportedAlgorithmIDs: ALGORITHMS,
        });
        if (!verified || info.credential.id !== rest.id || !isSoundKey(info.credential.publicKey)) return undefined;
        return {
          credentialId: bytesOf(info.credential.id),
          publicKey: Uint8Array.from(info.credential.publicKey),
          signCount: info.credential.counter,
          transports: response.transports ?? [],
          backupEligible: info.credentialDeviceType === 'multiDevice',
          backedUp: info.credentialBackedUp,
          aaguid: info.aaguid,
        };
      }),

    verifyAssertion: (challenge, credential, publicKey) =>
      orUndefined(async () => {
        if (clientDataOf(credential.response.clientDataJSON).crossOrigin === true) return undefined;
        const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
          ...expected,
          response: { ...credential, clientExtensionResults: {} } as AuthenticationResponseJSON,
          expectedChallenge: challenge,
          // Its count is compared where it is stored, so that two at once cannot both pass.
          credential: { id: credential.id, publicKey, counter: 0 },
        });
        if (!verified) return undefined;
        return {
          signCount: info.newCounter,
          backupEligible: info.credentialDeviceType === 'multiDevice',
          backedUp: info.credentialBackedUp,
        };
      }),

    decoyPublicKey: Uint8Array.from(
      isoCBOR.encode(
        new Map<number, number | Uint8Array>([
          [COSEKEYS.kty, cose.COSEKTY.EC2],
          [COSEKEYS.alg, COSEALG.ES256],
          [COSEKEYS.crv, COSECRV.P256],
          [COSEKEYS.x, Uint8Array.from(Buffer.from(DECOY_X, 'hex'))],
          [COSEKEYS.y, Uint8Array.from(Buffer.from(DECOY_Y, 'hex'))],
        ]),
      ),
    ),
  };
};
