import { createLocalJWKSet, type CryptoKey, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { z } from 'zod';

import type { OwnAnswer } from './upstream';

/** The keys cannot be had, so that nothing can be said of a token. */
export class KeysUnavailable extends Error {
  constructor(cause?: unknown) {
    super('The signing keys cannot be had', { cause });
    this.name = 'KeysUnavailable';
  }
}

export interface EdgeKeys {
  /** The key of a token by its header. @returns undefined where there is no such key. @throws {KeysUnavailable} */
  readonly find: (header: JWSHeaderParameters) => Promise<CryptoKey | undefined>;
  /** Whether the set holds a key, as far as is known now. */
  readonly has: (keyId: string) => boolean;
}

/** Only public keys of this one algorithm are of use; others that a set may hold are let be. */
const keySchema = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  kid: z.string(),
  x: z.string(),
  y: z.string(),
});
const setSchema = z.object({ keys: z.array(z.unknown()).max(100) });

/** Where the answer does not say, milliseconds. */
const FRESH_MS = 300_000;
const MIN_FRESH_MS = 1_000;
/** For so long the last keys go on while there is no newer answer. */
const STALE_MS = 3_600_000;
/** A key that is not known is looked for at most so often: anyone can make one up. */
const COOLDOWN_MS = 5_000;

interface Loaded {
  readonly set: ReturnType<typeof createLocalJWKSet>;
  readonly ids: ReadonlySet<string>;
  readonly at: number;
  readonly freshMs: number;
}

const maxAge = ({ headers }: OwnAnswer): number => {
  const [, seconds] = /max-age=(\d{1,6})/.exec(String(headers['cache-control'] ?? '')) ?? [];
  return seconds === undefined ? FRESH_MS : Math.max(MIN_FRESH_MS, Number(seconds) * 1_000);
};

const toLoaded = (answer: OwnAnswer, at: number): Loaded => {
  if (answer.status !== 200) throw new Error(`the key set was answered with ${String(answer.status)}`);
  const { keys } = setSchema.parse(JSON.parse(answer.body));
  const usable = keys.flatMap((key) => {
    const parsed = keySchema.safeParse(key);
    return parsed.success ? [parsed.data] : [];
  });
  return {
    set: createLocalJWKSet({ keys: usable } satisfies JSONWebKeySet),
    ids: new Set(usable.map(({ kid }) => kid)),
    at,
    freshMs: maxAge(answer),
  };
};

/**
 * The key set of the auth service: kept as long as it says, read anew for a key that is not known, and used beyond its time while
 * nobody answers.
 */
export const createEdgeKeys = (load: () => Promise<OwnAnswer>, now: () => number = Date.now): EdgeKeys => {
  let loaded: Loaded | undefined;
  let loading: Promise<void> | undefined;
  let lastTry = -Infinity;
  let failed = false;

  const reload = (): Promise<void> => {
    lastTry = now();
    loading ??= load()
      .then((answer) => {
        loaded = toLoaded(answer, now());
        failed = false;
      })
      .catch((error: unknown) => {
        failed = true;
        throw new KeysUnavailable(error);
      })
      .finally(() => (loading = undefined));
    return loading;
  };
  const mayTry = (): boolean => now() - lastTry >= COOLDOWN_MS;
  const ageNow = (): number => (loaded === undefined ? Infinity : now() - loaded.at);
  /** In the background: whoever asks is served with what there is. */
  const refreshWhenStale = (): void => {
    if (loaded === undefined || ageNow() <= loaded.freshMs || (failed && !mayTry())) return;
    reload().catch(() => undefined);
  };
  /** @throws {KeysUnavailable} */
  const current = async (): Promise<Loaded> => {
    if (ageNow() > STALE_MS) {
      // Whoever comes while it loads waits with it; after a failure not everyone tries.
      if (loading === undefined && failed && now() - lastTry < MIN_FRESH_MS) throw new KeysUnavailable();
      await reload();
    } else refreshWhenStale();
    if (loaded === undefined) throw new KeysUnavailable();
    return loaded;
  };

  return {
    has: (keyId) => {
      refreshWhenStale();
      return ageNow() <= STALE_MS && loaded?.ids.has(keyId) === true;
    },
    find: async (header) => {
      const keyId = header.kid ?? '';
      let keys = await current();
      if (!keys.ids.has(keyId)) {
        if (loading !== undefined || mayTry()) {
          await reload();
          keys = await current();
        } else if (failed) throw new KeysUnavailable();
      }
      return keys.ids.has(keyId) ? keys.set(header) : undefined;
    },
  };
};
