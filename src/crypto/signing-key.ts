import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair } from 'jose';

import { type Jwk, jwkSchema } from '../contracts/session';

/** The one algorithm of access tokens: what a token itself says of it is never believed (RFC 8725, section 3.1). */
export const SIGNING_ALGORITHM = 'ES256';

export interface SigningKey {
  /** JWK thumbprint (RFC 7638), the `kid`. */
  readonly id: string;
  readonly algorithm: typeof SIGNING_ALGORITHM;
  readonly publicJwk: Jwk;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
}

export const generateSigningKey = async (): Promise<SigningKey> => {
  const { publicKey, privateKey } = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const id = await calculateJwkThumbprint(jwk);
  return {
    id,
    algorithm: SIGNING_ALGORITHM,
    publicJwk: jwkSchema.parse({ ...jwk, kid: id, alg: SIGNING_ALGORITHM, use: 'sig' }),
    privateKey: await exportPKCS8(privateKey),
  };
};
