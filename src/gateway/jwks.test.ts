import { describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

import type { Revocations } from '../events/revocations';
import { eventually } from '../../test/support/eventually';

import { createEdgeTokens } from './edge-tokens';
import { createEdgeKeys, KeysUnavailable } from './jwks';
import { followRevocations } from './revoked-claims';

const RULES = { issuer: 'meqenet.et', audience: 'meqenet-api' };
const SUB = '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11';
const SID = '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a12';
const RULES_CLAIMS = { iss: RULES.issuer, aud: RULES.audience, exp: Math.floor(Date.now() / 1_000) + 600 };

const newKey = async (kid: string, alg = 'ES256') => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
};
type Key = Awaited<ReturnType<typeof newKey>>;

const tokenOf = (key: Pick<Key, 'kid' | 'privateKey'>, claims: object = {}, header: object = {}): Promise<string> =>
  new SignJWT({ sub: SUB, sid: SID, roles: ['CUSTOMER'], jti: 'j', ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...header })
    .setIssuer(RULES.issuer)
    .setAudience(RULES.audience)
    .setIssuedAt()
    .setExpirationTime('15m')
    .sign(key.privateKey);

/** A key set as the auth service answers it, and how often it was asked. */
const serve = (first: readonly Key[]) => {
  const state = { keys: first, asked: 0, isAway: false, now: Date.now() };
  const keys = createEdgeKeys(
    () => {
      state.asked += 1;
      if (state.isAway) return Promise.reject(new Error('away'));
      const body = JSON.stringify({ keys: state.keys.map(({ jwk }) => jwk) });
      return Promise.resolve({ status: 200, headers: { 'cache-control': 'public, max-age=60' }, body });
    },
    () => state.now,
  );
  const revoked = new Set<string>();
  const tokens = createEdgeTokens({
    keys,
    revoked: { includes: ({ sessionId }) => revoked.has(sessionId) },
    config: RULES,
  });
  return { state, revoked, check: async (token: string) => tokens.check(`Bearer ${token}`) };
};
const refused = { code: 'invalid_token' };

describe('a token at the edge', () => {
  test('is accepted for what it says, and the keys are asked for once', async () => {
    const key = await newKey('a');
    const { check, state } = serve([key]);
    const claims = { userId: SUB, sessionId: SID, roles: ['CUSTOMER'] };
    expect(await Promise.all([check(await tokenOf(key)), check(await tokenOf(key))])).toEqual([claims, claims]);
    expect(state.asked).toBe(1);
  });
  test('is refused where the auth service refuses it', async () => {
    const [key, other, rsa] = [await newKey('a'), await newKey('a'), await newKey('r', 'RS256')];
    const { check } = serve([key, rsa]);
    const past = Math.floor(Date.now() / 1_000) - 60;
    const wrong = [
      tokenOf(other),
      tokenOf(key, {}, { typ: 'JWT' }),
      tokenOf(rsa, {}, { alg: 'RS256' }),
      tokenOf(key, { roles: ['ROOT'] }),
      tokenOf(key, { sid: 'x' }),
      ...[{ iss: 'evil' }, { aud: 'evil' }, { exp: past }].map(async (claims) =>
        new SignJWT({ sub: SUB, sid: SID, roles: [], jti: 'j', iat: past, ...RULES_CLAIMS, ...claims })
          .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'a' })
          .sign(key.privateKey),
      ),
    ];
    for (const token of wrong) await expect(check(await token)).rejects.toMatchObject(refused);
    const [, claims = ''] = (await tokenOf(key)).split('.');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    await expect(check(`${none}.${claims}.`)).rejects.toMatchObject(refused);
  });
  test('of a session that ended is refused', async () => {
    const key = await newKey('a');
    const { check, revoked } = serve([key]);
    const token = await tokenOf(key);
    await check(token);
    revoked.add(SID);
    await expect(check(token)).rejects.toMatchObject(refused);
  });
});

describe('the key set', () => {
  test('is asked for a key that it did not have, but not for everybody who makes one up', async () => {
    const [a, b] = [await newKey('a'), await newKey('b')];
    const { check, state } = serve([a]);
    await check(await tokenOf(a));
    await expect(check(await tokenOf(b))).rejects.toMatchObject(refused);
    state.keys = [a, b];
    for (let i = 0; i < 5; i += 1) await expect(check(await tokenOf(b))).rejects.toMatchObject(refused);
    expect(state.asked).toBe(1);
    state.now += 5_000;
    await check(await tokenOf(b));
    expect(state.asked).toBe(2);
  });
  test('takes a key out that is no longer in it, for tokens that were checked before as well', async () => {
    const [a, b] = [await newKey('a'), await newKey('b')];
    const { check, state } = serve([a]);
    const token = await tokenOf(a);
    await check(token);
    state.keys = [b];
    state.now += 61_000;
    await eventually('the new set', async () => {
      state.now += 5_000;
      return check(token).then(
        () => false,
        (error: unknown) => (error as { code?: string }).code === 'invalid_token',
      );
    });
  });
  test('goes on while nobody answers, for an hour; then nothing can be said', async () => {
    const [a, b] = [await newKey('a'), await newKey('b')];
    const { check, state } = serve([a]);
    await check(await tokenOf(a));
    state.isAway = true;
    state.now += 30 * 60_000;
    await check(await tokenOf(a));
    // It may be a new one.
    await expect(check(await tokenOf(b))).rejects.toBeInstanceOf(KeysUnavailable);
    state.now += 31 * 60_000;
    await expect(check(await tokenOf(a, { jti: 'other' }))).rejects.toBeInstanceOf(KeysUnavailable);
    state.isAway = false;
    state.now += 5_000;
    await check(await tokenOf(a, { jti: 'third' }));
  });
});

describe('what is revoked', () => {
  const source = (watch: Revocations['watch']) => {
    const failures: unknown[] = [];
    const followed = followRevocations({
      source: { watch },
      tokenLifeMs: () => 900_000,
      onFailure: (error) => failures.push(error),
    });
    const isRevoked = (sessionId: string, roles: readonly string[] = []): boolean =>
      followed.includes({ sessionId, userId: 'u', roles });
    return { followed, failures, isRevoked };
  };

  test('is followed from where the last watch ended', async () => {
    const cursors: (string | undefined)[] = [];
    const { followed, failures, isRevoked } = source(async function* (cursor) {
      cursors.push(cursor);
      const id = String(cursors.length);
      yield { ready: true };
      yield { cursor: id, sessionId: `session-${id}`, userId: 'u', endedAt: Date.now() };
      if (cursors.length === 1) await Promise.reject(new Error('Redis is away'));
      await new Promise(() => undefined);
    });
    await eventually('both', () => Promise.resolve(isRevoked('session-1') && isRevoked('session-2')));
    expect(cursors).toEqual([undefined, '1']);
    expect(failures).toHaveLength(1);
    expect(isRevoked('session-3')).toBe(false);
    followed.close();
  });

  test('are roles that the account may not claim any more, until it may again', async () => {
    const changes = [['CUSTOMER'], ['CUSTOMER', 'SUPPORT']];
    let step = 0;
    const { followed, isRevoked } = source(async function* () {
      for (const [index, roles] of changes.entries()) {
        await eventually('the turn', () => Promise.resolve(step >= index));
        yield { cursor: String(index + 1), userId: 'u', roles, changedAt: Date.now() };
      }
      await new Promise(() => undefined);
    });
    await eventually('the first', () => Promise.resolve(isRevoked('s', ['CUSTOMER', 'SUPPORT'])));
    expect(isRevoked('s', ['CUSTOMER'])).toBe(false);
    expect(followed.includes({ sessionId: 's', userId: 'other', roles: ['SUPPORT'] })).toBe(false);
    step = 1;
    await eventually('the second', () => Promise.resolve(!isRevoked('s', ['CUSTOMER', 'SUPPORT'])));
    expect(isRevoked('s', ['ADMIN'])).toBe(true);
    followed.close();
  });
});
