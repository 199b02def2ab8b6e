import {
  type AccessTokenOptions,
  createAccessTokenVerifier,
  DEFAULT_CLOCK_TOLERANCE_MS,
  DEFAULT_TOKEN_LIFE_MS,
} from './access-token';
import type { Auth } from './auth';
import type { OnEvent } from './events';
import { createKeySet, type KeySetOptions } from './key-set';
import { invalidToken, missingToken } from './problem';
import { createRevocationCheck, type RevocationOptions } from './revocation-check';

export interface EdgeOptions extends AccessTokenOptions {
  readonly keys: KeySetOptions;
  /** How a logout is seen before the token expires. */
  readonly revocation: RevocationOptions;
  /** For logs and metrics; must not throw. */
  readonly onEvent?: OnEvent;
}

export interface Edge {
  /**
   * @param authorization the `Authorization` header of a request
   * @throws {EdgeError} `invalid_token`, or `service_unavailable` where it cannot be told
   */
  readonly authenticate: (authorization: string | undefined) => Promise<Auth>;
  /** Loads the keys and all revocations that matter: wait for it before the first request is taken. @throws */
  readonly ready: (signal?: AbortSignal) => Promise<void>;
  /** For a readiness probe: `stalenessMs` is 0 while revocations are known, Infinity before they were once. */
  readonly status: () => { readonly stalenessMs: number };
  /** Ends the stream. The client that it came from stays open. */
  readonly close: () => Promise<void>;
}

/** RFC 6750, section 2.1. The scheme's case does not matter (RFC 9110, section 11.1). */
const CREDENTIALS = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

const bearerToken = (authorization: string | undefined): string => {
  if (authorization === undefined || authorization === '') throw missingToken();
  const [, token] = CREDENTIALS.exec(authorization) ?? [];
  if (token) return token;
  // Another scheme is no attempt with a token.
  throw /^Bearer\b/i.test(authorization) ? invalidToken('form') : missingToken();
};

/** Verifies the access tokens of Meqenet Auth in a service of another team. One for each process. */
export const createEdge = (options: EdgeOptions): Edge => {
  const onEvent: OnEvent = options.onEvent ?? (() => undefined);
  const keySet = createKeySet(options.keys, onEvent);
  const verify = createAccessTokenVerifier(options, keySet);
  const { maxTokenLifeMs = DEFAULT_TOKEN_LIFE_MS, clockToleranceMs = DEFAULT_CLOCK_TOLERANCE_MS } = options;
  // A clock may be behind by the tolerance, and the token's own end is taken with it once more.
  const revocations = createRevocationCheck(options.revocation, maxTokenLifeMs + 2 * clockToleranceMs, onEvent);
  return {
    authenticate: async (authorization) => {
      const token = bearerToken(authorization);
      const auth = await verify(token);
      await revocations.check(token, auth);
      return auth;
    },
    ready: async (signal) => {
      await Promise.all([keySet.load(), revocations.ready(signal)]);
    },
    status: () => ({ stalenessMs: revocations.stalenessMs() }),
    close: revocations.close,
  };
};
