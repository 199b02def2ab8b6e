import { describe, expect, test } from '@jest/globals';

import { generateSigningKey, type SigningKey } from './signing-key';
import { createSigningKeyRing } from './signing-key-ring';

const TIMES = { refreshAfterMs: 60_000, staleAfterMs: 450_000 };

/** Keys in memory, a clock, and a count of how often somebody asked. */
const setUp = async () => {
  const first = await generateSigningKey();
  const state = { keys: [first], active: first, asked: 0, isDown: false, now: 1_000_000 };
  const store = {
    findActive: async (): Promise<SigningKey> => {
      state.asked += 1;
      await Promise.resolve();
      if (state.isDown) throw new Error('down');
      return state.active;
    },
    findPublic: () => Promise.resolve(state.keys),
  };
  return { state, ring: createSigningKeyRing(store, TIMES, () => state.now), first };
};

const rotate = async (state: Awaited<ReturnType<typeof setUp>>['state']): Promise<SigningKey> => {
  const key = await generateSigningKey();
  state.keys = [...state.keys, key];
  state.active = key;
  return key;
};

describe('the key ring', () => {
  test('asks once for all who ask at the same time, and again when its view is old', async () => {
    const { state, ring, first } = await setUp();
    await Promise.all(Array.from({ length: 20 }, () => ring.signer()));
    expect(state.asked).toBe(1);
    const next = await rotate(state);
    expect((await ring.signer()).keyId).toBe(first.id);
    state.now += TIMES.refreshAfterMs;
    expect((await ring.signer()).keyId).toBe(next.id);
    expect((await ring.jwks()).keys.map(({ kid }) => kid)).toEqual([first.id, next.id]);
    expect(state.asked).toBe(2);
  });

  test('finds a key that it did not know without waiting for its view to be old', async () => {
    const { state, ring } = await setUp();
    await ring.signer();
    const next = await rotate(state);
    state.now += 5_000;
    expect(await ring.find(next.id)).toBeDefined();
  });

  test('is not made to ask by a flood of invented key ids', async () => {
    const { state, ring } = await setUp();
    await ring.signer();
    state.now += 5_000;
    for (let index = 0; index < 1_000; index += 1) expect(await ring.find(`invented-${String(index)}`)).toBeUndefined();
    expect(state.asked).toBe(2);
  });

  test('forgets a key that was removed', async () => {
    const { state, ring, first } = await setUp();
    await ring.signer();
    const next = await rotate(state);
    state.keys = [next];
    state.now += TIMES.refreshAfterMs;
    expect(await ring.find(first.id)).toBeUndefined();
  });

  test('goes on without the database for half the overlap, and no longer', async () => {
    const { state, ring, first } = await setUp();
    await ring.signer();
    state.isDown = true;
    state.now += TIMES.staleAfterMs - 1;
    expect((await ring.signer()).keyId).toBe(first.id);
    state.now += 1;
    await expect(ring.signer()).rejects.toThrow('down');
    state.isDown = false;
    expect((await ring.signer()).keyId).toBe(first.id);
  });
});
