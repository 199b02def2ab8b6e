import { createRemoteJWKSet, errors } from 'jose';
// It stands in the declarations: whoever compiles to CommonJS may import no types of an ES module otherwise.
import type { JWTVerifyGetKey } from 'jose' with { 'resolution-mode': 'import' };

import type { OnEvent } from './events';
import { unavailable } from './problem';

export interface KeySetOptions {
  /** `https://<auth service>/.well-known/jwks.json` */
  readonly url: URL | string;
  /** Keys are asked for again after this time: 5 minutes. At most half of the service's `SIGNING_KEY_OVERLAP`. */
  readonly cacheMaxAgeMs?: number;
  /** Least time between two requests, successful or not, so that tokens with invented key ids cause none: 30 s. */
  readonly cooldownMs?: number;
  /** Keys that cannot be asked for again are used for so long after `cacheMaxAgeMs`: 1 h. */
  readonly staleIfErrorMs?: number;
  /** Of one request: 2 s. */
  readonly timeoutMs?: number;
}

export interface KeySet {
  readonly getKey: JWTVerifyGetKey;
  /** Loads the keys, so that the first request need not. @throws where they cannot be had */
  readonly load: () => Promise<void>;
}

/**
 * The service's public keys. A token with an unknown key id makes them be loaded anew, but not more often than the cooldown
 * allows; keys that cannot be refreshed go on working for a while. jose fetches, parses and selects; the times are kept here
 * because jose's own cooldown does not count failed requests, and it knows no stale-if-error.
 */
export const createKeySet = (options: KeySetOptions, onEvent: OnEvent): KeySet => {
  const { cacheMaxAgeMs = 300_000, cooldownMs = 30_000, staleIfErrorMs = 3_600_000, timeoutMs = 2_000 } = options;
  const forever = { cacheMaxAge: Infinity, cooldownDuration: Infinity };
  const remote = createRemoteJWKSet(new URL(options.url), { ...forever, timeoutDuration: timeoutMs });
  let loadedAt = -Infinity;
  let attempt: { readonly at: number; error?: unknown } = { at: -Infinity };
  let pending: Promise<void> | undefined;

  const fetchKeys = async (): Promise<void> => {
    const current: typeof attempt = { at: performance.now() };
    attempt = current;
    try {
      await remote.reload();
      loadedAt = performance.now();
    } catch (error) {
      current.error = error;
      onEvent({ type: 'keys-unreachable', error });
      throw unavailable('keys unreachable', error);
    }
  };
  /** Requests that need the keys at the same time wait for the same answer. */
  const load = (): Promise<void> => {
    pending ??= fetchKeys().finally(() => {
      pending = undefined;
    });
    return pending;
  };
  const isCoolingDown = (): boolean => pending === undefined && performance.now() - attempt.at < cooldownMs;
  const age = (): number => performance.now() - loadedAt;

  const makeCurrent = async (): Promise<void> => {
    if (age() <= cacheMaxAgeMs) return;
    const mayBeStale = age() <= cacheMaxAgeMs + staleIfErrorMs;
    if (isCoolingDown() && attempt.error !== undefined) {
      if (mayBeStale) return;
      throw unavailable('keys unreachable', attempt.error);
    }
    try {
      await load();
    } catch (error) {
      if (!mayBeStale) throw error;
    }
  };

  return {
    load,
    getKey: async (header, token) => {
      await makeCurrent();
      try {
        return await remote(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // Whether the key is an invention or a new one is not known while the keys cannot be asked for.
        if (isCoolingDown()) throw attempt.error === undefined ? error : unavailable('keys unreachable', attempt.error);
        await load();
        return remote(header, token);
      }
    },
  };
};
