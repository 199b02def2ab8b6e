import { bearerTokenOf } from '../contracts/bearer';
import { AppError } from '../contracts/errors';
import { createAccessTokenVerifier } from '../crypto/access-token-verifier';

import type { EdgeKeys } from './jwks';

/** Whose token it is. */
export interface EdgeClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly roles: readonly string[];
}

/** What was revoked while the access tokens that say otherwise have not expired. */
export interface RevokedClaims {
  /** Whether the session has ended, or the account has lost one of the roles. */
  readonly includes: (claims: EdgeClaims) => boolean;
}

interface Dependencies {
  readonly keys: EdgeKeys;
  readonly revoked: RevokedClaims;
  readonly config: { readonly issuer: string; readonly audience: string };
}

/** Checks access tokens by the public keys of the auth service, and by what it tells of sessions that ended and roles that were lost. */
export const createEdgeTokens = ({ keys, revoked, config }: Dependencies) => {
  const verify = createAccessTokenVerifier(keys, config);

  return {
    /**
     * The claims of the token in an `Authorization` header.
     *
     * @throws {AppError} `invalid_token` for what the auth service would refuse as well; {KeysUnavailable}
     */
    check: async (authorization: string | undefined): Promise<EdgeClaims> => {
      const bearer = bearerTokenOf(authorization);
      if (bearer === undefined) throw new AppError('invalid_token');
      const { sub: userId, sid: sessionId, roles } = await verify(bearer);
      const claims = { userId, sessionId, roles };
      if (revoked.includes(claims)) throw new AppError('invalid_token');
      return claims;
    },
  };
};
export type EdgeTokens = ReturnType<typeof createEdgeTokens>;
