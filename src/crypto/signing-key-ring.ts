import { createPrivateKey, type KeyObject } from 'node:crypto';

import { importJWK } from 'jose';

import type { SecurityConfig } from '../config/security.config';
import type { Jwks } from '../contracts/session';

import { generateSigningKey, SIGNING_ALGORITHM, type SigningKey } from './signing-key';

/** Where the keys are kept. */
interface SigningKeyStore {
  findActive(create: () => Promise<SigningKey>): Promise<SigningKey>;
  findPublic(): Promise<Pick<SigningKey, 'id' | 'publicJwk'>[]>;
}

type VerificationKey = Awaited<ReturnType<typeof importJWK>>;

interface View {
  readonly signer: { readonly keyId: string; readonly privateKey: KeyObject };
  readonly jwks: Jwks;
  readonly byId: ReadonlyMap<string, VerificationKey>;
  /** Milliseconds since 1970: when the database was asked. */
  readonly loadedAt: number;
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

/** Tokens with invented key ids must not become queries: one look-up of an unknown id in so many milliseconds. */
const UNKNOWN_KEY_COOLDOWN_MS = 5_000;

const read = async (store: SigningKeyStore, loadedAt: number): Promise<View> => {
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
    loadedAt,
  };
};

/**
 * @param times how long a view is used before the database is asked again (`refreshAfterMs`), and how long when it does
 * not answer (`staleAfterMs`)
 * @param now milliseconds since 1970
 */
export const createSigningKeyRing = (
  store: SigningKeyStore,
  times: Pick<SecurityConfig['signingKeys'], 'refreshAfterMs' | 'staleAfterMs'>,
  now: () => number = Date.now,
): SigningKeyRing => {
  let view: View | undefined;
  let loading: Promise<View> | undefined;
  let lastLookUpAt = -Infinity;

  const isYounger = (age: number): boolean => view !== undefined && now() - view.loadedAt < age;

  /** Whoever asks while an answer is on its way waits for the same one. */
  const load = (): Promise<View> => {
    loading ??= read(store, now())
      .then((loaded) => (view = loaded))
      .finally(() => {
        loading = undefined;
      });
    return loading;
  };

  const current = async (): Promise<View> => {
    if (view !== undefined && isYounger(times.refreshAfterMs)) return view;
    try {
      return await load();
    } catch (error) {
      if (view !== undefined && isYounger(times.staleAfterMs)) return view;
      throw error;
    }
  };

  const isTooSoon = (): boolean => {
    const cooldownMs = Math.min(UNKNOWN_KEY_COOLDOWN_MS, times.refreshAfterMs);
    return now() - lastLookUpAt < cooldownMs || isYounger(cooldownMs);
  };

  return {
    signer: async () => (await current()).signer,
    jwks: async () => (await current()).jwks,
    async find(keyId) {
      const known = (await current()).byId.get(keyId);
      if (known !== undefined || isTooSoon()) return known;
      lastLookUpAt = now();
      return (await load()).byId.get(keyId);
    },
  };
};
