import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import {
  type AuthenticationCredential,
  authenticationCredential,
  creationOptions,
  registrationCredential,
  requestOptions,
} from '../contracts/passkey';
import { createSoftAuthenticator, type KeyKind, type ResponseOptions } from '../../test/support/soft-authenticator';

import { createPasskeys } from './passkeys';

const ORIGIN = 'https://app.meqenet.et';
const APP = 'android:apk-key-hash:1x2Y_z-A';
const USER = '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11';
const passkeys = createPasskeys({ id: 'meqenet.et', name: 'Meqenet', origins: [ORIGIN, APP] }, Buffer.alloc(32, 7));
const authenticator = (more: { kind?: KeyKind; rsaBits?: number } = {}) =>
  createSoftAuthenticator({ rpId: 'meqenet.et', origin: ORIGIN, ...more });

const optionsFor = (challenge = passkeys.newChallenge()) =>
  passkeys.creationOptions({ challenge, userId: USER, userName: 'abebe@example.et', existing: [], timeoutMs: 600_000 });
const register = async (made = authenticator(), options: ResponseOptions = {}) => {
  const publicKey = await optionsFor();
  const credential = registrationCredential.parse(made.create(publicKey, options));
  return passkeys.verifyRegistration(publicKey.challenge, credential);
};
const assertion = async (options: ResponseOptions = {}, made = authenticator()) => {
  const passkey = await register(made);
  const challenge = passkeys.newChallenge();
  const credential = authenticationCredential.parse(made.get({ challenge }, options));
  return passkeys.verifyAssertion(challenge, credential, passkey?.publicKey ?? new Uint8Array());
};

describe('options for the browser', () => {
  it('of a registration: discoverable, verified, not attested, and nothing of the person in the handle', async () => {
    const existing = [{ credentialId: Uint8Array.from([1, 2, 3]), transports: ['internal'] }];
    const challenge = passkeys.newChallenge();
    const params = { challenge, userId: USER, userName: 'abebe@example.et', existing, timeoutMs: 600_000 };
    const options = creationOptions.parse(await passkeys.creationOptions(params));
    expect(options).toMatchObject({
      challenge,
      rp: { id: 'meqenet.et', name: 'Meqenet' },
      pubKeyCredParams: [{ alg: -7 }, { alg: -8 }, { alg: -257 }],
      excludeCredentials: [{ id: 'AQID', type: 'public-key', transports: ['internal'] }],
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      attestation: 'none',
    });
    const handle = Buffer.from(options.user.id, 'base64url');
    expect(handle).toHaveLength(64);
    expect(handle.toString('latin1')).not.toContain(USER);
    expect((await optionsFor()).user.id).toBe(options.user.id);
    const others = createPasskeys({ id: 'meqenet.et', name: 'Meqenet', origins: [ORIGIN] }, Buffer.alloc(32, 8));
    expect(Buffer.from(others.userHandle(USER)).equals(handle)).toBe(false);
  });

  it('of a login: user verification, and no credential unless some are allowed', async () => {
    const challenge = passkeys.newChallenge();
    expect(Buffer.from(challenge, 'base64url')).toHaveLength(32);
    const options = requestOptions.parse(await passkeys.requestOptions({ challenge, allowed: [], timeoutMs: 1_000 }));
    expect(options).toEqual({
      ...{ rpId: 'meqenet.et', challenge, timeout: 1_000, allowCredentials: [], userVerification: 'required' },
    });
  });
});

describe('a registration', () => {
  it.each<KeyKind>(['ES256', 'EdDSA', 'RS256'])('with %s is taken, and its passkey verifies', async (kind) => {
    const made = authenticator({ kind });
    expect(await register(made, { flags: ['up', 'uv', 'be', 'bs'], signCount: 7 })).toMatchObject({
      ...{ signCount: 7, backupEligible: true, backedUp: true, transports: ['internal'] },
      aaguid: '00000000-0000-0000-0000-000000000000',
    });
    expect(await assertion({ signCount: 1 }, made)).toEqual({ signCount: 1, backupEligible: false, backedUp: false });
  });

  it('of an app is taken by its signature', async () => {
    expect(await register(authenticator(), { origin: APP })).toBeDefined();
  });

  it.each<readonly [string, ResponseOptions]>([
    ['another origin', { origin: 'https://app.meqenet.et.evil.example' }],
    ['another app', { origin: 'android:apk-key-hash:other' }],
    ['an origin without TLS', { origin: 'http://app.meqenet.et' }],
    ['another relying party', { rpId: 'evil.example' }],
    ['another challenge', { challenge: passkeys.newChallenge() }],
    ['the type of a login', { type: 'webauthn.get' }],
    ['a frame of another site', { crossOrigin: true }],
    ['no user verification', { flags: ['up'] }],
    ['no presence', { flags: ['uv'] }],
    ['a backup of what cannot be backed up', { flags: ['up', 'uv', 'bs'] }],
    ['bytes at the end', { trailing: Buffer.from([0]) }],
  ])('with %s is refused', async (_name, options) => {
    expect(await register(authenticator(), options)).toBeUndefined();
  });

  it.each([
    ['an algorithm that was not offered', authenticator({ kind: 'ES384' })],
    ['a weak key', authenticator({ kind: 'RS256', rsaBits: 1_024 })],
  ])('with %s is refused', async (_name, made) => {
    expect(await register(made)).toBeUndefined();
  });

  it('under another id than that of its credential is refused', async () => {
    const publicKey = await optionsFor();
    const credential = registrationCredential.parse(authenticator().create(publicKey));
    const other = { ...credential, id: 'AAAAAAAA', rawId: 'AAAAAAAA' };
    expect(await passkeys.verifyRegistration(publicKey.challenge, other)).toBeUndefined();
  });
});

describe('an assertion', () => {
  it.each<readonly [string, ResponseOptions]>([
    ['another origin', { origin: 'https://evil.example' }],
    ['another relying party', { rpId: 'evil.example' }],
    ['another challenge', { challenge: passkeys.newChallenge() }],
    ['the type of a registration', { type: 'webauthn.create' }],
    ['a frame of another site', { crossOrigin: true }],
    ['no user verification', { flags: ['up'] }],
    ['no presence', { flags: ['uv'] }],
    ['a backup of what cannot be backed up', { flags: ['up', 'uv', 'bs'] }],
    ['bytes at the end', { trailing: Buffer.from([1, 2, 3]) }],
  ])('with %s is refused', async (_name, options) => {
    expect(await assertion(options)).toBeUndefined();
  });

  it('of another key, and of the decoy, is refused', async () => {
    const [made, other] = [authenticator(), await register()];
    const challenge = passkeys.newChallenge();
    const credential = authenticationCredential.parse(made.get({ challenge }));
    for (const publicKey of [other!.publicKey, passkeys.decoyPublicKey])
      expect(await passkeys.verifyAssertion(challenge, credential, publicKey)).toBeUndefined();
  });

  it('tells which challenge it answers', () => {
    const challenge = passkeys.newChallenge();
    const credential = authenticationCredential.parse(authenticator().get({ challenge }));
    expect(passkeys.challengeOf(credential)).toBe(challenge);
    const claim = (data: string) => {
      const clientDataJSON = Buffer.from(data).toString('base64url');
      return passkeys.challengeOf({ ...credential, response: { ...credential.response, clientDataJSON } });
    };
    for (const data of ['{', 'null', '0', '[]', '{}', '{"challenge":1}', '{"challenge":{"$ne":1}}', '\u0000'])
      expect(claim(data)).toBeUndefined();
  });

  it('of random and of damaged bytes is refused, and never thrown at', async () => {
    const made = authenticator();
    const passkey = await register(made);
    const challenge = passkeys.newChallenge();
    const good = authenticationCredential.parse(made.get({ challenge }));
    const field = fc.constantFrom('clientDataJSON', 'authenticatorData', 'signature');
    const isRefused = async (credential: AuthenticationCredential) => {
      passkeys.challengeOf(credential);
      expect(await passkeys.verifyAssertion(challenge, credential, passkey!.publicKey)).toBeUndefined();
    };
    const withField = (name: string, value: Uint8Array) =>
      isRefused({ ...good, response: { ...good.response, [name]: Buffer.from(value).toString('base64url') } });
    await fc.assert(fc.asyncProperty(field, fc.uint8Array({ minLength: 1, maxLength: 300 }), withField), {
      numRuns: 150,
    });
    const bytesOf = (name: string) => Buffer.from((good.response as Record<string, string>)[name] ?? '', 'base64url');
    await fc.assert(
      fc.asyncProperty(field, fc.nat(), fc.integer({ min: 1, max: 255 }), (name, place, change) => {
        const bytes = bytesOf(name);
        // Of a signature its second number: the frame of its DER is read leniently, the numbers are not.
        const first = name === 'signature' ? bytes.length - 20 : 0;
        const index = first + (place % (bytes.length - first));
        bytes[index] = (bytes[index] ?? 0) ^ change;
        return withField(name, bytes);
      }),
      { numRuns: 150 },
    );
  });
});

describe('what an attestation says', () => {
  it('is not looked at, so that no certificate in it makes the service ask anybody', async () => {
    const publicKey = await optionsFor();
    const credential = registrationCredential.parse(authenticator().create(publicKey));
    // The statement of a format that the library would follow, with a certificate that is none, in the place of the empty one.
    const bytes = Buffer.from(credential.response.attestationObject, 'base64url').toString('latin1');
    const packed = bytes
      .replace('cfmtdnone', 'cfmtfpacked')
      .replace('gattStmt\u00a0', 'gattStmt\u00a3calg\u0026csigA0cx5c\u0081A0');
    expect(packed.length).toBeGreaterThan(bytes.length + 10);
    const attestationObject = Buffer.from(packed, 'latin1').toString('base64url');
    const response = { ...credential.response, attestationObject };
    expect(await passkeys.verifyRegistration(publicKey.challenge, { ...credential, response })).toBeDefined();
  });

  it('of random bytes is refused, and never thrown at', async () => {
    const publicKey = await optionsFor();
    const credential = registrationCredential.parse(authenticator().create(publicKey));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        const attestationObject = Buffer.from(bytes).toString('base64url');
        const response = { ...credential.response, attestationObject };
        expect(await passkeys.verifyRegistration(publicKey.challenge, { ...credential, response })).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});
