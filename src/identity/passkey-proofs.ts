import type { RequestOrigin } from '../contracts/audit';
import type { BlindIndex } from '../contracts/data-protection';
import {
  type AuthenticationCredential,
  PASSKEY_CHALLENGE_MS,
  type PasskeyDescriptor,
  type PasskeyOptionsResponse,
} from '../contracts/passkey';
import type { Passkeys } from '../crypto/passkeys';
import type { PasskeyChallenge, PasskeyChallengeRepository } from '../repositories/passkey-challenge-repository';
import type { Passkey, PasskeyRepository } from '../repositories/passkey-repository';

import { deviceOf } from './device';
import type { Notices } from './notices';

interface Dependencies {
  readonly passkeys: Pick<
    Passkeys,
    'newChallenge' | 'hashChallenge' | 'challengeOf' | 'requestOptions' | 'verifyAssertion' | 'decoyPublicKey'
  >;
  readonly passkeyChallenges: PasskeyChallengeRepository;
  readonly passkeyRepository: Pick<PasskeyRepository, 'find' | 'use' | 'suspect'>;
  readonly blindIndex: BlindIndex;
  readonly notices: Pick<Notices, 'tell'>;
}

/** A challenge that was answered, and is used up. */
export interface Taken extends PasskeyChallenge {
  readonly challenge: string;
}

export interface PasskeyProof {
  readonly userId: string;
  /** Of RFC 8176: a key that stays in its device, or one that is synced. */
  readonly method: 'hwk' | 'swk';
}
/** `subjectId`: the account whose passkey was named, if there is one. */
export type PasskeyOutcome = { readonly proof: PasskeyProof } | { readonly subjectId: string | undefined };

export interface PasskeyProofs {
  /** A challenge for this device. Undefined where the login that it is for has ended. */
  challenge(
    purpose: PasskeyChallenge,
    allowed: readonly PasskeyDescriptor[],
    origin: RequestOrigin,
  ): Promise<PasskeyOptionsResponse | undefined>;
  /** Uses up the challenge that a response answers; undefined where there is none (any more) for this device and session. */
  take(credential: AuthenticationCredential, origin: RequestOrigin, sessionId?: string): Promise<Taken | undefined>;
  /**
   * Verifies a response to a challenge, and stores its sign count. A count that was used before is refused, recorded, and its owner
   * told. What is unknown, locked or somebody else's takes the same steps up to the signature.
   *
   * @param ownerId whose passkey it has to be; without it the passkey says who they are
   */
  prove(
    challenge: string,
    credential: AuthenticationCredential,
    ownerId: string | undefined,
    origin: RequestOrigin,
  ): Promise<PasskeyOutcome>;
}

/** The handle says whose it is; where they are known already, some authenticators leave it out (WebAuthn level 3, section 7.2, step 6). */
const isOwnedBy = (passkey: Passkey, userHandle: string | null | undefined, ownerId: string | undefined): boolean => {
  const isNamed = userHandle !== undefined && userHandle !== null && userHandle !== '';
  if (isNamed && !Buffer.from(userHandle, 'base64url').equals(passkey.userHandle)) return false;
  return ownerId === undefined ? isNamed : passkey.userId === ownerId;
};

export const createPasskeyProofs = (deps: Dependencies): PasskeyProofs => {
  const { passkeys, passkeyChallenges, passkeyRepository, blindIndex, notices } = deps;
  const deviceIndexOf = (origin: RequestOrigin): Uint8Array<ArrayBuffer> =>
    blindIndex.of('device', `passkey-challenge\0${deviceOf(origin).key}`);

  const suspect = async ({ factorId, userId }: Passkey, signCount: number, origin: RequestOrigin): Promise<void> => {
    const eventId = await passkeyRepository.suspect({ factorId, userId, signCount, origin });
    if (eventId !== undefined) notices.tell({ name: 'passkey:suspected', eventId, userId });
  };

  return {
    async challenge(purpose, allowed, origin) {
      const challenge = passkeys.newChallenge();
      const expiresAt = new Date(Date.now() + PASSKEY_CHALLENGE_MS);
      const [hash, deviceIndex] = [passkeys.hashChallenge(challenge), deviceIndexOf(origin)];
      if (!(await passkeyChallenges.create({ ...purpose, hash, deviceIndex, expiresAt }))) return undefined;
      const publicKey = await passkeys.requestOptions({ challenge, allowed, timeoutMs: PASSKEY_CHALLENGE_MS });
      return { publicKey, expiresAt: expiresAt.toISOString() };
    },

    async take(credential, origin, sessionId) {
      const challenge = passkeys.challengeOf(credential);
      if (challenge === undefined) return undefined;
      const taken = await passkeyChallenges.take(passkeys.hashChallenge(challenge), deviceIndexOf(origin), sessionId);
      return taken && { ...taken, challenge };
    },

    async prove(challenge, credential, ownerId, origin) {
      const passkey = await passkeyRepository.find(Uint8Array.from(Buffer.from(credential.id, 'base64url')));
      const publicKey = passkey?.publicKey ?? passkeys.decoyPublicKey;
      const assertion = await passkeys.verifyAssertion(challenge, credential, publicKey);
      const refused = { subjectId: ownerId ?? passkey?.userId };
      if (passkey === undefined || assertion === undefined || !passkey.isActive) return refused;
      if (!isOwnedBy(passkey, credential.response.userHandle, ownerId)) return refused;
      // It is decided when the key is made (section 7.2, step 18).
      if (assertion.backupEligible !== passkey.backupEligible) return refused;
      const { factorId, userId } = passkey;
      const { signCount, backedUp } = assertion;
      if (!(await passkeyRepository.use({ factorId, signCount, backedUp }))) {
        await suspect(passkey, signCount, origin);
        return refused;
      }
      return { proof: { userId, method: passkey.backupEligible ? 'swk' : 'hwk' } };
    },
  };
};
