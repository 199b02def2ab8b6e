import { createHash } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, createRemoteJWKSet, decodeJwt, type JWK, jwtVerify } from 'jose';

import type { Answer, HttpClient } from '../support/http-client';
import { logIn, newPerson, signUp } from '../support/people';
import { expectProblem } from '../support/problems';
import { type SecondApi, startSecondApi } from '../support/second-process';
import { useTestService } from '../support/service';

const INVALID_TOKEN = { status: 401, code: 'invalid_token' };
const INVALID_REFRESH_TOKEN = { status: 401, code: 'invalid_refresh_token' };

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly refreshExpiresIn: number;
  readonly expiresIn: number;
  readonly sessionId: string;
}

const person = newPerson();
let secondApi: SecondApi | undefined;
// Hooks run in the order in which they are registered: this one before the stack stops.
afterAll(async () => {
  await secondApi?.process.stop();
}, 30_000);

// The api is started by the test itself, twice.
const service = useTestService({ processes: ['worker', 'consumer'] });
/** The second of two api processes on one database. */
let second: HttpClient;
let firstKeys: { database: string[]; published: string[] };
let userId = '';

beforeAll(async () => {
  [secondApi] = await Promise.all([startSecondApi(service), service.processes.api.start()]);
  second = secondApi.http;
  // Nobody has asked for a key yet, and now everybody does.
  const published = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const { body } = await (index % 2 === 0 ? service.http : second).get('/.well-known/jwks.json');
      return (body.keys as JWK[]).map(({ kid }) => String(kid)).join();
    }),
  );
  const { rows } = await service.database.query<{ id: string }>('SELECT id FROM signing_keys');
  firstKeys = { database: rows.map(({ id }) => id), published };
  userId = (await signUp(service, person)).body.user.id as string;
}, 90_000);

const open = async (): Promise<Tokens> => {
  const { status, body } = await logIn(service, person);
  expect(status).toBe(200);
  return body as Tokens;
};
const refresh = (refreshToken: string, http = service.http): Promise<Answer> =>
  http.post('/v1/auth/refresh', { refreshToken });
const rotate = async (refreshToken: string): Promise<Tokens> => {
  const { status, body } = await refresh(refreshToken);
  expect(status).toBe(200);
  return body as Tokens;
};
const me = (token: string, http = service.http): Promise<Answer> => http.get('/v1/users/me', { token });
const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
const tokensOf = async (sessionId: string) => {
  const { rows } = await service.database.query<{ hash: Buffer; replaces: Buffer | null }>(
    'SELECT hash, replaces FROM refresh_tokens WHERE session_id = $1 ORDER BY created_at',
    [sessionId],
  );
  return rows;
};
const endOf = async (sessionId: string): Promise<unknown> => {
  const { rows } = await service.database.query('SELECT ended_by FROM sessions WHERE id = $1', [sessionId]);
  return (rows[0] as { ended_by: unknown }).ended_by;
};
/** Time passes for one refresh token that was used. */
const ageUse = (token: string, seconds: number) =>
  service.database.query(
    `UPDATE refresh_tokens SET rotated_at = rotated_at - make_interval(secs => $2) WHERE hash = $1`,
    [hashOf(token), seconds],
  );
const isOver = async ({ accessToken, refreshToken }: Tokens): Promise<void> => {
  for (const http of [service.http, second]) {
    expectProblem(await me(accessToken, http), INVALID_TOKEN);
    expectProblem(await refresh(refreshToken, http), INVALID_REFRESH_TOKEN, [refreshToken]);
  }
};
const isAlive = async ({ accessToken }: Tokens): Promise<void> => {
  for (const http of [service.http, second]) expect((await me(accessToken, http)).status).toBe(200);
};

describe('a refresh', () => {
  it('gives a new token every time, for the same session', async () => {
    const first = await open();
    const chain = [first];
    for (let use = 0; use < 5; use += 1) chain.push(await rotate(chain.at(-1)!.refreshToken));
    expect(new Set(chain.map(({ refreshToken }) => refreshToken)).size).toBe(6);
    expect(new Set(chain.map(({ accessToken }) => accessToken)).size).toBe(6);
    expect(chain.every(({ sessionId }) => sessionId === first.sessionId)).toBe(true);
    expect(first).toMatchObject({ tokenType: 'Bearer', expiresIn: 900, refreshExpiresIn: expect.any(Number) });
    expect(first.refreshToken).toMatch(/^[A-Za-z0-9_-]{43}$/);
    for (const tokens of chain) await isAlive(tokens);
    // One row for each, each the successor of the one before, and none in the clear.
    expect(await tokensOf(first.sessionId)).toEqual(
      chain.map(({ refreshToken }, index) => ({
        hash: hashOf(refreshToken),
        replaces: index === 0 ? null : hashOf(chain[index - 1]!.refreshToken),
      })),
    );
  });

  it('whose answer was lost gives the same successor again, and no second one (zitadel#9631, hydra#1831)', async () => {
    const first = await open();
    const { refreshToken: successor } = await rotate(first.refreshToken);
    await ageUse(first.refreshToken, 25);
    expect((await rotate(first.refreshToken)).refreshToken).toBe(successor);
    const next = await rotate(successor);
    // Even then: the predecessor of the predecessor leads back into the chain, not to a new branch.
    expect((await rotate(first.refreshToken)).refreshToken).toBe(successor);
    expect((await rotate(successor)).refreshToken).toBe(next.refreshToken);
    expect(await tokensOf(first.sessionId)).toHaveLength(3);
    await isAlive(next);
  });

  it('fifty times at once, on two processes, gives one successor (zitadel#9631, hydra#1831)', async () => {
    const first = await open();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => refresh(first.refreshToken, index % 2 === 0 ? service.http : second)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const successors = new Set(answers.map(({ body }) => body.refreshToken as string));
    expect(successors.size).toBe(1);
    expect(await tokensOf(first.sessionId)).toHaveLength(2);
    await isAlive(await rotate([...successors][0]!));
  });

  it('with a token that was used long ago ends the session, access token included, everywhere and at once (keycloak#45647, better-auth#6893)', async () => {
    const first = await open();
    const stays = await open();
    const successor = await rotate(first.refreshToken);
    await ageUse(first.refreshToken, 31);
    await isAlive(successor);
    expectProblem(await refresh(first.refreshToken), INVALID_REFRESH_TOKEN, [first.refreshToken]);
    await isOver(successor);
    await isOver(first);
    expect(await endOf(first.sessionId)).toBe('REFRESH_TOKEN_REUSED');
    // It is the family that is ended, not the person.
    await isAlive(stays);
  });

  it('of a stolen token: whoever comes second after half a minute ends it for both', async () => {
    const first = await open();
    const thief = await rotate(first.refreshToken);
    const thiefsNext = await rotate(thief.refreshToken);
    await ageUse(first.refreshToken, 3_600);
    expectProblem(await refresh(first.refreshToken, second), INVALID_REFRESH_TOKEN);
    await isOver(thiefsNext);
  });

  it('with a token that nobody was given is refused, and ends nothing', async () => {
    const tokens = await open();
    for (const token of [
      'A'.repeat(43),
      [...tokens.refreshToken].reverse().join(''),
      hashOf(tokens.refreshToken).toString('base64url'),
    ])
      expectProblem(await refresh(token), INVALID_REFRESH_TOKEN, [token]);
    for (const token of ['', 'x', tokens.accessToken, `${tokens.refreshToken}=`, ` ${tokens.refreshToken}`])
      expectProblem(await refresh(token), { status: 400, code: 'validation_failed' });
    await isAlive(await rotate(tokens.refreshToken));
  });

  it('after the idle time is refused', async () => {
    const tokens = await open();
    expect(tokens.refreshExpiresIn).toBeGreaterThan(7 * 86_400 - 60);
    await service.database.query(`UPDATE refresh_tokens SET expires_at = now() - interval '1 second' WHERE hash = $1`, [
      hashOf(tokens.refreshToken),
    ]);
    expectProblem(await refresh(tokens.refreshToken), INVALID_REFRESH_TOKEN);
    expect(await tokensOf(tokens.sessionId)).toHaveLength(1);
  });

  it('never outlives the absolute time', async () => {
    const tokens = await open();
    await service.database.query(`UPDATE sessions SET expires_at = now() + interval '100 seconds' WHERE id = $1`, [
      tokens.sessionId,
    ]);
    const next = await rotate(tokens.refreshToken);
    expect(next.refreshExpiresIn).toBeGreaterThan(80);
    expect(next.refreshExpiresIn).toBeLessThanOrEqual(100);
    await service.database.query(`UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = $1`, [
      tokens.sessionId,
    ]);
    await isOver(next);
  });

  it('tells how long its access token lasts', async () => {
    const tokens = await rotate((await open()).refreshToken);
    const { exp = 0, iat = 0 } = decodeJwt(tokens.accessToken);
    expect(exp - iat).toBe(900);
    expect(Math.abs(iat - Date.now() / 1_000)).toBeLessThan(5);
    expect(tokens.expiresIn).toBe(900);
  });
});

describe('a logout', () => {
  const logOut = (token: string, path = '/v1/auth/logout', http = service.http) =>
    http.post(path, undefined, { token });

  it('counts at once on every process (better-auth#6893)', async () => {
    const tokens = await open();
    const refreshed = await rotate(tokens.refreshToken);
    const stays = await open();
    await isAlive(tokens);
    const answer = await logOut(tokens.accessToken);
    expect(answer).toMatchObject({ status: 204, body: undefined });
    await isOver(tokens);
    // Every access token of the session is over, not only the one that was shown.
    await isOver(refreshed);
    await isAlive(stays);
    expect(await endOf(tokens.sessionId)).toBe('LOGOUT');
    expectProblem(await logOut(tokens.accessToken), INVALID_TOKEN);
  });

  it('wins against refreshes at the same time: none of them is of use afterwards', async () => {
    for (let round = 0; round < 5; round += 1) {
      const tokens = await open();
      const racing = Array.from({ length: 8 }, (_, index) =>
        refresh(tokens.refreshToken, index % 2 === 0 ? service.http : second),
      );
      const [loggedOut, ...answers] = await Promise.all([logOut(tokens.accessToken), ...racing]);
      expect(loggedOut.status).toBe(204);
      for (const { status, body } of answers) {
        expect([200, 401]).toContain(status);
        if (status === 200) await isOver(body as Tokens);
      }
      expect(await endOf(tokens.sessionId)).toBe('LOGOUT');
    }
  });

  it('of everything ends every session of the person, and nobody else', async () => {
    const stranger = newPerson();
    const strangers = (await signUp(service, stranger)).body as Tokens;
    const sessions = await Promise.all([open(), open(), open()]);
    expect((await logOut(sessions[0].accessToken, '/v1/auth/logout-all', second)).status).toBe(204);
    for (const tokens of sessions) await isOver(tokens);
    await isAlive(strangers);
    await isAlive(await open());
  });
});

describe('an access token', () => {
  const keySet = (http = service.apiUrl) => createRemoteJWKSet(new URL(`${http}/.well-known/jwks.json`));

  it('is what RFC 9068 says, to whoever knows nothing but the address of the keys', async () => {
    const { accessToken, sessionId } = await open();
    const before = Math.floor(Date.now() / 1_000);
    const { payload, protectedHeader } = await jwtVerify(accessToken, keySet(), {
      issuer: 'meqenet.et',
      audience: 'meqenet-api',
      algorithms: ['ES256'],
      typ: 'at+jwt',
      requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
    });
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: firstKeys.database[0] });
    expect(payload).toEqual({
      iss: 'meqenet.et',
      aud: 'meqenet-api',
      sub: userId,
      sid: sessionId,
      client_id: expect.stringMatching(/./),
      roles: ['CUSTOMER'],
      acr: 'aal1',
      amr: ['pwd'],
      auth_time: expect.any(Number),
      iat: expect.any(Number),
      exp: expect.any(Number),
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(Math.abs((payload['auth_time'] as number) - before)).toBeLessThanOrEqual(5);
    expect(JSON.stringify(payload)).not.toContain('@');
  });

  it('keeps the time of the login through refreshes', async () => {
    const tokens = await open();
    await service.database.query(`UPDATE sessions SET auth_time = auth_time - interval '1 hour' WHERE id = $1`, [
      tokens.sessionId,
    ]);
    const { accessToken } = await rotate(tokens.refreshToken);
    const [first, next] = [decodeJwt(tokens.accessToken), decodeJwt(accessToken)];
    expect(next['auth_time']).toBe((first['auth_time'] as number) - 3_600);
    expect(next.jti).not.toBe(first.jti);
  });

  it('loses a role as soon as the account does', async () => {
    const somebody = newPerson();
    const { body } = await signUp(service, somebody);
    await service.database.query(`DELETE FROM user_roles WHERE user_id = $1`, [body.user.id]);
    const next = await rotate(body.refreshToken as string);
    expect(decodeJwt(next.accessToken)['roles']).toEqual([]);
  });
});

describe('the signing key', () => {
  it('is one, though two processes started at once on an empty database', () => {
    expect(firstKeys.database).toHaveLength(1);
    expect(new Set(firstKeys.published)).toEqual(new Set(firstKeys.database));
  });

  it('is published without its private part, under its thumbprint', async () => {
    const { status, headers, body } = await service.http.get('/.well-known/jwks.json');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(body.keys).toHaveLength(1);
    for (const key of body.keys as JWK[]) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
      expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
      expect(key.kid).toBe(await calculateJwkThumbprint(key));
    }
    const { rows } = await service.database.query('SELECT t::text AS line FROM signing_keys t');
    expect(JSON.stringify(rows)).not.toMatch(/PRIVATE KEY|"d"/);
  });

  it('survives a restart, and so do the tokens that it signed', async () => {
    const tokens = await open();
    const keys = await service.http.get('/.well-known/jwks.json');
    await service.processes.api.restart();
    expect((await service.http.get('/.well-known/jwks.json')).body).toEqual(keys.body);
    await isAlive(tokens);
    await isAlive(await rotate(tokens.refreshToken));
  });
});
