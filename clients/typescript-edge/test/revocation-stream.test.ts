import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, describe, expect, it } from '@jest/globals';

import type { EdgeEvent } from '../src/events';
import { createRevocationList } from '../src/revocation-list';
import { followRevocations, type RevocationStream } from '../src/revocation-stream';
import type { Revocation } from '../src/source';

const until = async (what: string, isTrue: () => boolean): Promise<void> => {
  const end = performance.now() + 5_000;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`Waited in vain for ${what}`);
    await sleep(2);
  }
};

/** A service in this process: remembers what was revoked, and can cut its connections. */
const createService = () => {
  const revoked: string[] = [];
  const cursors: (string | undefined)[] = [];
  let connection = new AbortController();
  let isDown = false;
  return {
    revoked,
    cursors,
    down: (): void => {
      isDown = true;
      connection.abort(new Error('cut'));
    },
    up: (): void => {
      isDown = false;
      connection = new AbortController();
    },
    async *watchRevocations(
      cursor: string | undefined,
      signal: AbortSignal,
    ): AsyncGenerator<Revocation | { readonly ready: true }> {
      if (isDown) throw new Error('down');
      cursors.push(cursor);
      const either = AbortSignal.any([signal, connection.signal]);
      let next = cursor === undefined ? 0 : Number(cursor) + 1;
      let isReady = false;
      for (;;) {
        for (; next < revoked.length; next += 1) yield { cursor: String(next), sessionId: revoked[next] ?? '' };
        if (!isReady) yield { ready: true };
        isReady = true;
        either.throwIfAborted();
        await sleep(2, undefined, { signal: either });
      }
    },
  };
};

const auth = (sessionId: string, roles: readonly string[] = []) => ({ sessionId, userId: 'somebody', roles });

let stream: RevocationStream | undefined;
afterEach(() => stream?.close());

const start = (service: ReturnType<typeof createService>, keepMs = 60_000, maxEntries = 100) => {
  const events: EdgeEvent[] = [];
  const onEvent = (event: EdgeEvent): void => {
    events.push(event);
  };
  const list = createRevocationList({ keepMs, maxEntries }, onEvent);
  stream = followRevocations({ source: service, list, keepMs, backoffMs: { first: 5, last: 40 }, onEvent });
  return { list, stream, events };
};

describe('the stream of revocations', () => {
  it('is stale until all that matters was given, and live from then on', async () => {
    const service = createService();
    service.revoked.push('old');
    const { list, stream } = start(service);
    expect(stream.stalenessMs()).toBe(Infinity);
    await stream.ready();
    expect(stream.stalenessMs()).toBe(0);
    expect(list.includes(auth('old'))).toBe(true);
    service.revoked.push('new');
    await until('the new one', () => list.includes(auth('new')));
    expect(list.includes(auth('other'))).toBe(false);
  });

  it('goes on from its cursor after a cut, misses nothing, and counts the time away', async () => {
    const service = createService();
    service.revoked.push('a');
    const { list, stream, events } = start(service);
    await stream.ready();
    service.down();
    await until('the loss', () => stream.stalenessMs() > 20);
    service.revoked.push('b');
    expect(list.includes(auth('b'))).toBe(false);
    service.up();
    await until('the return', () => stream.stalenessMs() === 0);
    expect(list.includes(auth('b'))).toBe(true);
    expect(events.map(({ type }) => type)).toContain('stream-lost');
  });

  it('waits longer after each failure, never longer than it may', async () => {
    const service = createService();
    service.down();
    const { stream, events } = start(service);
    await until('six failures', () => events.length >= 6);
    expect(stream.stalenessMs()).toBe(Infinity);
    const waits = events.map((event) => (event.type === 'stream-lost' ? event.retryInMs : NaN));
    [5, 10, 20, 40, 40, 40].forEach((longest, index) => {
      expect(waits[index]).toBeGreaterThanOrEqual(Math.floor(longest / 2));
      expect(waits[index]).toBeLessThanOrEqual(longest);
    });
  });

  it('begins anew where it was away for longer than a token lives', async () => {
    const service = createService();
    service.revoked.push('a');
    const { stream } = start(service, 30);
    await stream.ready();
    service.down();
    await until('a long time', () => stream.stalenessMs() > 40);
    service.up();
    await until('the return', () => stream.stalenessMs() === 0);
    expect(service.cursors).toEqual([undefined, undefined]);
  });

  it('is given up by whoever waits for it, and when it is closed', async () => {
    const service = createService();
    service.down();
    const { stream } = start(service);
    await expect(stream.ready(AbortSignal.timeout(10))).rejects.toThrow(/timeout/);
    const waiting = stream.ready();
    await stream.close();
    await expect(waiting).rejects.toThrow('closed');
  });
});

describe('the list of revocations', () => {
  it('drops an entry when no token of the session can be about, and not before', () => {
    let now = 0;
    const list = createRevocationList(
      { keepMs: 100, maxEntries: 10 },
      () => undefined,
      () => now,
    );
    list.add({ cursor: '1', sessionId: 'a' });
    now = 50;
    list.add({ cursor: '1', sessionId: 'b' });
    now = 99;
    expect([list.includes(auth('a')), list.includes(auth('b'))]).toEqual([true, true]);
    now = 100;
    expect([list.includes(auth('a')), list.includes(auth('b'))]).toEqual([false, true]);
    list.add({ cursor: '1', sessionId: 'c' });
    expect(list.size()).toBe(2);
  });

  it('says that it is incomplete for as long as what it had to drop would have counted', () => {
    let now = 0;
    const events: EdgeEvent[] = [];
    const list = createRevocationList(
      { keepMs: 100, maxEntries: 2 },
      (event) => events.push(event),
      () => now,
    );
    list.add({ cursor: '1', sessionId: 'a' });
    now = 10;
    list.add({ cursor: '1', sessionId: 'b' });
    list.add({ cursor: '1', sessionId: 'b' });
    expect(list.isComplete()).toBe(true);
    list.add({ cursor: '1', sessionId: 'c' });
    expect(list.size()).toBe(2);
    expect(list.isComplete()).toBe(false);
    expect(events).toEqual([{ type: 'list-full' }]);
    now = 100;
    expect(list.isComplete()).toBe(true);
    expect([list.includes(auth('b')), list.includes(auth('c'))]).toEqual([true, true]);
  });

  it('holds the roles that an account may claim, the newest word counting', () => {
    let now = 0;
    const list = createRevocationList(
      { keepMs: 100, maxEntries: 10 },
      () => undefined,
      () => now,
    );
    list.add({ cursor: '1', userId: 'somebody', roles: ['CUSTOMER'] });
    expect(list.includes(auth('a', ['CUSTOMER', 'ADMIN']))).toBe(true);
    expect(list.includes(auth('a', ['CUSTOMER']))).toBe(false);
    expect(list.includes({ ...auth('a', ['ADMIN']), userId: 'other' })).toBe(false);
    now = 50;
    list.add({ cursor: '2', userId: 'somebody', roles: ['CUSTOMER', 'ADMIN'] });
    expect(list.includes(auth('a', ['CUSTOMER', 'ADMIN']))).toBe(false);
    now = 149;
    expect(list.includes(auth('a', ['SUPPORT']))).toBe(true);
    now = 150;
    expect(list.includes(auth('a', ['SUPPORT']))).toBe(false);
  });
});
