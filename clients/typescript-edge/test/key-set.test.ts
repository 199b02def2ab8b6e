import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose';

import type { EdgeEvent } from '../src/events';
import { createKeySet, type KeySetOptions } from '../src/key-set';

/** The key set as a real server serves it. */
let server: Server;
let published: JWK[] = [];
let requests = 0;
let status = 200;

beforeEach(async () => {
  [published, requests, status] = [[], 0, 200];
  server = createServer((_request, response) => {
    requests += 1;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: published }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const newKey = async (kid: string) => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const sign = (): Promise<string> => new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
  return { jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }, sign };
};

const keySet = (options: Partial<KeySetOptions> = {}) => {
  const events: EdgeEvent[] = [];
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  const { getKey } = createKeySet({ url, ...options }, (event) => events.push(event));
  return { events, verify: async (token: string) => jwtVerify(token, getKey) };
};

describe('the key set', () => {
  it('is loaded once for many tokens at a time', async () => {
    const key = await newKey('1');
    published = [key.jwk];
    const { verify } = keySet();
    const token = await key.sign();
    await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    expect(requests).toBe(1);
  });

  it('is loaded again for a key that it does not know, but not for every invented one', async () => {
    const [one, two] = [await newKey('1'), await newKey('2')];
    published = [one.jwk];
    const [patient, eager] = [keySet({ cooldownMs: 600_000 }), keySet({ cooldownMs: 0 })];
    for (const { verify } of [patient, eager]) await verify(await one.sign());
    expect(requests).toBe(2);
    published = [one.jwk, two.jwk];
    // Within the cooldown nobody can make it ask.
    await expect(patient.verify(await two.sign())).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    expect(requests).toBe(2);
    await eager.verify(await two.sign());
    expect(requests).toBe(3);
  });

  it('goes on with what it has while it cannot be asked for, for as long as it may', async () => {
    const key = await newKey('1');
    published = [key.jwk];
    const { verify, events } = keySet({ cacheMaxAgeMs: 0, cooldownMs: 0, staleIfErrorMs: 60_000 });
    const token = await key.sign();
    await verify(token);
    status = 500;
    await verify(token);
    expect(events.map(({ type }) => type)).toEqual(['keys-unreachable']);
    const strict = keySet({ cacheMaxAgeMs: 0, cooldownMs: 0, staleIfErrorMs: 0 });
    status = 200;
    await strict.verify(token);
    status = 500;
    await expect(strict.verify(token)).rejects.toMatchObject({ code: 'service_unavailable' });
  });

  it('says that it does not know, rather than that a token is wrong, while it cannot be asked for', async () => {
    const [one, two] = [await newKey('1'), await newKey('2')];
    published = [one.jwk];
    const { verify } = keySet({ cooldownMs: 0 });
    await verify(await one.sign());
    status = 503;
    await expect(verify(await two.sign())).rejects.toMatchObject({ code: 'service_unavailable' });
    const cooling = keySet({ cooldownMs: 60_000 });
    await expect(cooling.verify(await one.sign())).rejects.toMatchObject({ code: 'service_unavailable' });
    const before = requests;
    await expect(cooling.verify(await one.sign())).rejects.toMatchObject({ code: 'service_unavailable' });
    // A failed attempt cools down as well.
    expect(requests).toBe(before);
  });

  it('forgets a key that is no longer published', async () => {
    const [one, two] = [await newKey('1'), await newKey('2')];
    published = [one.jwk, two.jwk];
    const { verify } = keySet({ cacheMaxAgeMs: 0, cooldownMs: 0 });
    const token = await one.sign();
    await verify(token);
    published = [two.jwk];
    await expect(verify(token)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });
});
