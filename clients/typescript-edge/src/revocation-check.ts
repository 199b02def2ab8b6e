import { createHash } from 'node:crypto';

import { LRUCache } from 'lru-cache';

import type { Auth } from './auth';
import type { OnEvent } from './events';
import { invalidToken, unavailable } from './problem';
import { createRevocationList } from './revocation-list';
import { followRevocations } from './revocation-stream';
import type { RevocationSource, TokenValidator, Validation } from './source';

/** What to do while it is not known whether sessions have ended: refuse (503), ask for each token, or take it. */
export type WhenStale = 'fail-closed' | 'fall-back' | 'accept';

export interface ByStream {
  readonly by: 'stream';
  readonly source: RevocationSource;
  /** The stream may be away for so long before `whenStale` decides: 5 s. Until then, what ended meanwhile is still taken. */
  readonly maxStalenessMs?: number;
  /** `fail-closed` unless said otherwise. */
  readonly whenStale?: WhenStale;
  /** Asked by `fall-back`. */
  readonly validator?: TokenValidator;
  /** Sessions remembered at most, some 100 bytes each: 100,000. */
  readonly maxEntries?: number;
  /** Waits between attempts to connect: from 100 ms to 5 s. */
  readonly backoffMs?: { readonly first: number; readonly last: number };
}

export interface ByValidation {
  readonly by: 'validation';
  readonly validator: TokenValidator;
  /** An answer is used again for so long, and a session that ended is taken for as long: 0, which asks every time. */
  readonly cacheMs?: number;
  /** Answers kept at most: 10,000. */
  readonly maxEntries?: number;
}

export type RevocationOptions = ByStream | ByValidation;

export interface RevocationCheck {
  /**
   * @throws {EdgeError} `invalid_token` where the session has ended or the token claims a role that the account has lost,
   * `service_unavailable` where that is not known
   */
  readonly check: (token: string, auth: Auth) => Promise<void>;
  /** Milliseconds for which revocations may have been missed. */
  readonly stalenessMs: () => number;
  readonly ready: (signal?: AbortSignal) => Promise<void>;
  readonly close: () => Promise<void>;
}

const ask = async (validator: TokenValidator, token: string, onEvent: OnEvent): Promise<Validation> => {
  try {
    return await validator.validateToken({ accessToken: token });
  } catch (error) {
    onEvent({ type: 'validation-failed', error });
    throw unavailable('validation failed', error);
  }
};

/** @throws {EdgeError} `invalid_token` */
const confirm = ({ valid, roles }: Validation, claimed: readonly string[]): void => {
  if (!valid || !claimed.every((role) => roles.includes(role))) throw invalidToken('revoked');
};

const byStream = (options: ByStream, keepMs: number, onEvent: OnEvent): RevocationCheck => {
  const { source, maxStalenessMs = 5_000, whenStale = 'fail-closed', validator, maxEntries = 100_000 } = options;
  if (whenStale === 'fall-back' && validator === undefined) throw new TypeError('`fall-back` needs a `validator`');
  const list = createRevocationList({ keepMs, maxEntries }, onEvent);
  const backoffMs = options.backoffMs ?? { first: 100, last: 5_000 };
  const stream = followRevocations({ source, list, keepMs, backoffMs, onEvent });
  const isFresh = (): boolean => list.isComplete() && stream.stalenessMs() <= maxStalenessMs;

  const decideWhileStale = async (token: string, { roles }: Auth): Promise<void> => {
    if (whenStale === 'accept') return;
    if (whenStale === 'fail-closed' || validator === undefined) throw unavailable('revocations unknown');
    confirm(await ask(validator, token, onEvent), roles);
  };
  return {
    check: async (token, auth) => {
      if (list.includes(auth)) throw invalidToken('revoked');
      if (!isFresh()) await decideWhileStale(token, auth);
    },
    stalenessMs: () => (list.isComplete() ? stream.stalenessMs() : Infinity),
    ready: stream.ready,
    close: stream.close,
  };
};

const byValidation = (
  { validator, cacheMs = 0, maxEntries = 10_000 }: ByValidation,
  onEvent: OnEvent,
): RevocationCheck => {
  /** By hash: a dump of memory or a heap snapshot must not hold tokens for longer than their requests. */
  const answers =
    cacheMs > 0 ? new LRUCache<string, Validation>({ max: maxEntries, ttl: cacheMs, ttlResolution: 0 }) : undefined;
  return {
    check: async (token, { roles }) => {
      const key = answers === undefined ? '' : createHash('sha256').update(token).digest('base64');
      let answer = answers?.get(key);
      if (answer === undefined) {
        answer = await ask(validator, token, onEvent);
        answers?.set(key, answer);
      }
      confirm(answer, roles);
    },
    stalenessMs: () => 0,
    ready: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
};

/** @param keepMs the longest time for which a token of an ended session may be about */
export const createRevocationCheck = (options: RevocationOptions, keepMs: number, onEvent: OnEvent): RevocationCheck =>
  options.by === 'stream' ? byStream(options, keepMs, onEvent) : byValidation(options, onEvent);
