/** A session that has ended: none of its access tokens is good any more. */
export interface Revocation {
  /** To go on from here later. */
  readonly cursor: string;
  readonly sessionId: string;
}

/** The roles that an account may claim from now on: its tokens that claim another one are not good any more. */
export interface RolesChange {
  readonly cursor: string;
  readonly userId: string;
  readonly roles: readonly string[];
}

/** Where revocations come from: the client of `@meqenet/auth-client` is one; other transports may bring their own. */
export interface RevocationSource {
  /**
   * All that may still matter, or what came after `cursor`; `{ ready: true }` when that was given; then each as it happens.
   * Ends when `signal` aborts; throws when the connection is lost.
   */
  readonly watchRevocations: (
    cursor: string | undefined,
    signal: AbortSignal,
  ) => AsyncIterable<Revocation | RolesChange | { readonly ready: true }>;
}

/** What the service says of a token. */
export interface Validation {
  readonly valid: boolean;
  /** Those that the account has now; the token may claim more. */
  readonly roles: readonly string[];
}

/** Says whether a token is good right now: the client of `@meqenet/auth-client` does, by asking the service. */
export interface TokenValidator {
  /** @throws where the service cannot be asked */
  readonly validateToken: (request: { readonly accessToken: string }) => Promise<Validation>;
}
