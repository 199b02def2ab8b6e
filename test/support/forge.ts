import { randomUUID } from 'node:crypto';

import { importPKCS8, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';

import { loadConfig } from '../../src/config/load';

import { withProtection } from './protection';
import type { TestService } from './service';

/**
 * Signs tokens with the service's own key, taken from its database: what differs from a good token in one thing only is
 * refused for that thing, not for its signature.
 */
export const createForge = async ({ stack, database }: TestService) => {
  const { jwt } = loadConfig(['tokens'], stack.env).tokens;
  const { rows } = await database.query<{ id: string; private_key_ciphertext: string }>(
    `SELECT id, private_key_ciphertext FROM signing_keys WHERE state = 'ACTIVE'`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('There is no signing key yet');
  const location = { table: 'signing_keys', column: 'private_key_ciphertext', rowId: row.id };
  const pem = await withProtection(stack, ({ ciphers }) =>
    ciphers['signing-keys'].decrypt(row.private_key_ciphertext, location),
  );
  const key = await importPKCS8(pem, 'ES256');

  const now = Math.floor(Date.now() / 1_000);
  return {
    keyId: row.id,
    header: { alg: 'ES256', typ: 'at+jwt', kid: row.id } as const,
    claims: (session: { userId: string; sessionId: string }): JWTPayload => ({
      iss: jwt.issuer,
      aud: jwt.audience,
      sub: session.userId,
      sid: session.sessionId,
      iat: now,
      exp: now + 600,
      jti: randomUUID(),
      client_id: 'meqenet-first-party',
      roles: ['CUSTOMER'],
      acr: 'aal1',
      amr: ['pwd'],
      auth_time: now,
    }),
    sign: (claims: JWTPayload, header: JWTHeaderParameters): Promise<string> =>
      new SignJWT(claims).setProtectedHeader(header).sign(key, { crit: { 'urn:x': true } }),
  };
};
export type Forge = Awaited<ReturnType<typeof createForge>>;
