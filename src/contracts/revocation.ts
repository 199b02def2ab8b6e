/** A session that has ended: its access tokens must not be accepted any more, although they have not expired. */
export interface Revocation {
  /** Place in the order of revocations: whoever was away goes on after the last one that they saw. */
  readonly cursor: string;
  readonly sessionId: string;
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
}

/**
 * The roles that an account may claim from now on: an access token that claims another one must not be accepted any more, although
 * it has not expired (as the `token-claims-change` event of OpenID CAEP 1.0 tells it). A refreshed token claims what is right.
 */
export interface RolesChange {
  readonly cursor: string;
  readonly userId: string;
  readonly roles: readonly string[];
  /** Milliseconds since 1970. */
  readonly changedAt: number;
}

/** `ready`: what had happened before the watch began has been given. */
export type RevocationMessage = Revocation | RolesChange | { readonly ready: true };

/** Form of a cursor, and of the id of an event: a place in a stream of Redis. */
export const STREAM_ID_PATTERN = /^[0-9]{1,19}-[0-9]{1,9}$/;
