import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** Options change one thing of a good response. */
export interface ResponseOptions {
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  readonly challenge?: string;
  /** `up`, `uv`, `be`, `bs` (WebAuthn level 3, section 6.1). */
  readonly flags?: readonly Flag[];
  readonly signCount?: number;
  readonly userHandle?: string | null;
  /** Appended to the authenticator data. */
  readonly trailing?: Buffer;
}
type Flag = 'up' | 'uv' | 'be' | 'bs';
const FLAG_BITS = { up: 0x01, uv: 0x04, be: 0x08, bs: 0x10, at: 0x40 } as const;
const GOOD_FLAGS: readonly Flag[] = ['up', 'uv'];

export type KeyKind = 'ES256' | 'EdDSA' | 'RS256' | 'ES384';

const int = (value: number): Buffer => {
  const [major, size] = value < 0 ? [0x20, -1 - value] : [0, value];
  if (size < 24) return Buffer.from([major | size]);
  return size < 256 ? Buffer.from([major | 24, size]) : Buffer.from([major | 25, size >> 8, size & 0xff]);
};
const bytes = (value: Buffer): Buffer =>
  Buffer.concat([
    value.length < 24
      ? Buffer.from([0x40 | value.length])
      : value.length < 256
        ? Buffer.from([0x58, value.length])
        : Buffer.from([0x59, value.length >> 8, value.length & 0xff]),
    value,
  ]);
const text = (value: string): Buffer => Buffer.concat([Buffer.from([0x60 | value.length]), Buffer.from(value)]);
/** CBOR (RFC 8949) of a map, entries in the order given. */
const map = (...entries: readonly (readonly [Buffer, Buffer])[]): Buffer =>
  Buffer.concat([Buffer.from([0xa0 | entries.length]), ...entries.flat()]);

const fromJwk = (value: string | undefined): Buffer => Buffer.from(value ?? '', 'base64url');
const coseKey = (kind: KeyKind, key: KeyObject): Buffer => {
  const { x, y, n, e } = key.export({ format: 'jwk' });
  const entry = (label: number, value: Buffer) => [int(label), value] as const;
  if (kind === 'RS256')
    return map(entry(1, int(3)), entry(3, int(-257)), entry(-1, bytes(fromJwk(n))), entry(-2, bytes(fromJwk(e))));
  if (kind === 'EdDSA')
    return map(entry(1, int(1)), entry(3, int(-8)), entry(-1, int(6)), entry(-2, bytes(fromJwk(x))));
  const [alg, curve] = kind === 'ES256' ? [-7, 1] : [-35, 2];
  const point = [entry(-2, bytes(fromJwk(x))), entry(-3, bytes(fromJwk(y)))];
  return map(entry(1, int(2)), entry(3, int(alg)), entry(-1, int(curve)), ...point);
};
const newKeyPair = (kind: KeyKind, rsaBits: number) => {
  if (kind === 'RS256') return generateKeyPairSync('rsa', { modulusLength: rsaBits });
  if (kind === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('ec', { namedCurve: kind === 'ES256' ? 'P-256' : 'P-384' });
};

interface Options {
  readonly rpId?: string;
  readonly origin: string;
  readonly kind?: KeyKind;
  readonly rsaBits?: number;
  readonly credentialId?: Buffer;
}

/** An authenticator in a few lines, for what a browser would never send; takes the options as the API answers them. */
export const createSoftAuthenticator = ({ rpId = 'localhost', origin, kind = 'ES256', ...more }: Options) => {
  const keys = newKeyPair(kind, more.rsaBits ?? 2_048);
  const credentialId = more.credentialId ?? randomBytes(32);
  const id = credentialId.toString('base64url');
  let userHandle = '';

  const clientData = (type: string, challenge: string, options: ResponseOptions): Buffer =>
    Buffer.from(
      JSON.stringify({
        type: options.type ?? type,
        challenge: options.challenge ?? challenge,
        origin: options.origin ?? origin,
        crossOrigin: options.crossOrigin ?? false,
      }),
    );

  const authenticatorData = (options: ResponseOptions, attested?: Buffer): Buffer => {
    const flags = (options.flags ?? GOOD_FLAGS).reduce((sum, flag) => sum | FLAG_BITS[flag], 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(options.signCount ?? 0);
    return Buffer.concat([
      createHash('sha256')
        .update(options.rpId ?? rpId)
        .digest(),
      Buffer.from([flags | (attested === undefined ? 0 : FLAG_BITS.at)]),
      count,
      attested ?? Buffer.alloc(0),
      options.trailing ?? Buffer.alloc(0),
    ]);
  };

  return {
    id,

    /** `RegistrationResponseJSON` for these options. */
    create(publicKey: unknown, options: ResponseOptions = {}) {
      const { challenge, user } = publicKey as { challenge: string; user: { id: string } };
      userHandle = user.id;
      const length = Buffer.from([credentialId.length >> 8, credentialId.length & 0xff]);
      const attested = Buffer.concat([Buffer.alloc(16), length, credentialId, coseKey(kind, keys.publicKey)]);
      const attestation = map(
        [text('fmt'), text('none')],
        [text('attStmt'), map()],
        [text('authData'), bytes(authenticatorData(options, attested))],
      );
      return {
        ...{ id, rawId: id, type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: {} },
        response: {
          clientDataJSON: clientData('webauthn.create', challenge, options).toString('base64url'),
          attestationObject: attestation.toString('base64url'),
          transports: ['internal'],
        },
      };
    },

    /** `AuthenticationResponseJSON` for these options. */
    get(publicKey: unknown, options: ResponseOptions = {}) {
      const { challenge } = publicKey as { challenge: string };
      const client = clientData('webauthn.get', challenge, options);
      const data = authenticatorData(options);
      const signed = Buffer.concat([data, createHash('sha256').update(client).digest()]);
      const digest = kind === 'EdDSA' ? null : kind === 'ES384' ? 'sha384' : 'sha256';
      return {
        ...{ id, rawId: id, type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: {} },
        response: {
          clientDataJSON: client.toString('base64url'),
          authenticatorData: data.toString('base64url'),
          signature: sign(digest, signed, keys.privateKey).toString('base64url'),
          userHandle: options.userHandle === undefined ? userHandle : options.userHandle,
        },
      };
    },
  };
};
export type SoftAuthenticator = ReturnType<typeof createSoftAuthenticator>;
