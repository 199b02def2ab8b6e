import { createPrivateKey, type KeyObject } from 'node:crypto';

import { importJWK } from 'jose';

import type { TokensConfig } from '../config/tokens.config';
import type { Jwks } from '../contracts/session';

import { createRefreshedView } from './refreshed-view';
import { generateSigningKey, SIGNING_ALGORITHM, type SigningKey } from './signing-key';

/** Where the keys are kept. */
interface SigningKeyStore {
  findActive(create: () => Promise<SigningKey>): Promise<SigningKey>;
  findPublic(): Promise<Pick<SigningKey, 'id' | 'publicJwk'>[]>;
}

/** Anybody can invent a key id; a key is published well before it signs. */
const UNKNOWN_COOLDOWN_MS = 5_000;

type VerificationKey = Awaited<ReturnType<typeof importJWK>>;

interface View {
  readonly signer: { readonly keyId: string; readonly privateKey: KeyObject };
  readonly jwks: Jwks;
  readonly byId: ReadonlyMap<string, VerificationKey>;
}

/** The keys as this process knows them, never older than the configuration allows: a rotation needs no restart. */
export interface SigningKeyRing {
  /** The key to sign with. */
  signer(): Promise<View['signer']>;
  /** The public key of this id. One that is not known is looked for in the database, at most once in a while. */
  find(keyId: string): Promise<VerificationKey | undefined>;
  /** What is published (RFC 7517). */
  readonly jwks: () => Promise<Jwks>;
}

const read = async (store: SigningKeyStore): Promise<View> => {
  const active = await store.findActive(generateSigningKey);
  // After the active one, so that the set always holds it.
  const published = await store.findPublic();
  const imported = published.map(
    async ({ id, publicJwk }) => [id, await importJWK(publicJwk, SIGNING_ALGORITHM)] as const,
  );
  return {
    signer: { keyId: active.id, privateKey: createPrivateKey(active.privateKey) },
    jwks: { keys: published.map(({ publicJwk }) => publicJwk) },
    byId: new Map(await Promise.all(imported)),
  };
};

/**
 * @param times how long a view is used before the database is asked again (`refreshAfterMs`), and how long when it does
 * not answer (`staleAfterMs`)
 * @param now milliseconds since 1970
 */
export const createSigningKeyRing = (
  store: SigningKeyStore,
  times: Pick<TokensConfig['signingKeys'], 'refreshAfterMs' | 'staleAfterMs'>,
  now: () => number = Date.now,
): SigningKeyRing => {
  const view = createRefreshedView(() => read(store), { ...times, unknownCooldownMs: UNKNOWN_COOLDOWN_MS }, now);
  return {
    signer: async () => (await view.current()).signer,
    jwks: async () => (await view.current()).jwks,
    find: (keyId) => view.find(({ byId }) => byId.get(keyId)),
  };
};
