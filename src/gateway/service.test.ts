import { describe, expect, test } from '@jest/globals';

import { parseTable } from '../config/gateway-routes';

import { createOutcomes } from './outcomes';
import { createRetryBudget, createService } from './service';
import type { Upstream } from './upstream';

/** An upstream that is what its test says it is. */
const upstreamOf = (url: string, state: { usable?: boolean; healthy?: boolean } = {}): Upstream => ({
  url,
  server: { address: 'localhost', port: 80 },
  outcomes: createOutcomes(),
  isUsable: () => state.usable ?? true,
  isFull: () => false,
  isHealthy: () => state.healthy ?? true,
  attempt: () => Promise.resolve(),
  get: () => Promise.reject(new Error('none')),
  begin: () => () => undefined,
  state: () => 'up',
  close: () => Promise.resolve(),
});
const settings = parseTable({
  services: { s: { upstreams: [{ url: 'http://a:1' }] } },
  routes: [{ path: '/', service: 's' }],
}).table!.services['s']!;
const serviceOf = (upstreams: readonly (readonly [Upstream, number])[], random = 0) =>
  createService(
    's',
    settings,
    upstreams.map(([upstream, weight]) => ({ upstream, weight })),
    () => random,
  );
const NONE = new Set<Upstream>();

describe('a choice among upstreams', () => {
  test('is by weight', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((url) => upstreamOf(url)) as [Upstream, Upstream, Upstream];
    const all = [
      [a, 60],
      [b, 40],
      [c, 0],
    ] as const;
    expect([0, 0.59, 0.61, 0.999].map((random) => serviceOf(all, random).pick(undefined, NONE)?.url)).toEqual([
      'a',
      'a',
      'b',
      'b',
    ]);
  });
  test('is waited for only as long as the client does', async () => {
    const service = serviceOf([[upstreamOf('a', { usable: false, healthy: true }), 1]]);
    expect(await service.whenUsable(3_600_000, { destroyed: true })).toBe(false);
  });
  test('prefers those that are ready, and takes the others when there is none', () => {
    const state = { usable: true, healthy: false };
    const [a, b] = [upstreamOf('a', state), upstreamOf('b')];
    const service = serviceOf([
      [a, 1],
      [b, 1],
    ]);
    expect(service.pick(undefined, NONE)).toBe(b);
    expect(service.pick(undefined, new Set([b]))).toBe(a);
    state.usable = false;
    expect(service.pick(undefined, new Set([b]))).toBe(b);
    expect(serviceOf([[a, 1]]).pick(undefined, NONE)).toBeUndefined();
  });
  test('is the same for one key, shared by weight, and moves only what has to move', () => {
    const upstreams = ['a', 'b', 'c'].map((url) => [upstreamOf(url), url === 'a' ? 2 : 1] as const);
    const keys = Array.from({ length: 4_000 }, (_, index) => `client-${index}`);
    const choices = (some: typeof upstreams) => keys.map((key) => serviceOf(some).pick(key, NONE)?.url);
    const before = choices(upstreams);
    expect(choices(upstreams)).toEqual(before);
    const share = (url: string) => before.filter((choice) => choice === url).length / keys.length;
    expect(Math.abs(share('a') - 0.5)).toBeLessThan(0.04);
    expect(Math.abs(share('b') - 0.25)).toBeLessThan(0.04);
    const after = choices(upstreams.slice(0, 2));
    expect(after.filter((choice, index) => before[index] !== 'c' && choice !== before[index])).toEqual([]);
  });
  test('leaves one out that fails while others do not, and not all of them', () => {
    const [a, b] = [upstreamOf('a'), upstreamOf('b')];
    const service = serviceOf([
      [a, 1],
      [b, 1],
    ]);
    for (let i = 0; i < 30; i += 1) service.note(b, false);
    for (let i = 0; i < 19; i += 1) service.note(a, true);
    expect(a.outcomes.isEjected()).toBe(false);
    service.note(a, true);
    expect(a.outcomes.isEjected()).toBe(true);
    expect(service.pick(undefined, NONE)).toBe(b);
    for (let i = 0; i < 30; i += 1) service.note(b, true);
    expect(b.outcomes.isEjected()).toBe(false);
  });
  test('leaves none out when all fail alike', () => {
    const [a, b] = [upstreamOf('a'), upstreamOf('b')];
    const service = serviceOf([
      [a, 1],
      [b, 1],
    ]);
    for (let i = 0; i < 50; i += 1) for (const upstream of [a, b]) service.note(upstream, true);
    expect([a, b].map(({ outcomes }) => outcomes.isEjected())).toEqual([false, false]);
  });
});

test('repetitions have a budget, which requests fill again', () => {
  const budget = createRetryBudget();
  let spent = 0;
  while (budget.spend()) spent += 1;
  expect(spent).toBe(100);
  for (let i = 0; i < 6; i += 1) budget.earn();
  expect([budget.spend(), budget.spend()]).toEqual([true, false]);
});

test('an ejection ends, and the next one lasts longer', () => {
  let now = 0;
  const outcomes = createOutcomes(() => now);
  outcomes.eject();
  now = 10_001;
  expect(outcomes.isEjected()).toBe(false);
  outcomes.eject();
  now += 15_000;
  expect(outcomes.isEjected()).toBe(true);
});
