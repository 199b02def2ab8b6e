import { randomBytes } from 'node:crypto';

import { beforeEach, describe, expect, it } from '@jest/globals';

import { DATA_KEY_PURPOSES, type RootKey } from '../contracts/keys';
import type { DataKeyRow } from '../repositories/data-key-repository';

import { createDataKeys, newDataKey } from './data-keys';
import { createLocalRootKey } from './local-root-key';

const rootOf = (...keys: [string, Buffer][]): RootKey =>
  createLocalRootKey({ activeKeyId: keys[0]?.[0] ?? '', keys: new Map(keys) });
const [first, second] = [randomBytes(32), randomBytes(32)];
const context = { id: 'fields-20261126-00000000', purpose: 'fields' };

describe('a local root key', () => {
  it('wraps, and unwraps for the same key id and purpose alone', async () => {
    const [root, dataKey] = [rootOf(['r1', first]), randomBytes(32)];
    const wrapped = await root.wrap(dataKey, context);
    expect(wrapped).toMatch(/^local:r1:/);
    expect(await root.unwrap(wrapped, context)).toEqual(dataKey);
    for (const elsewhere of [
      { ...context, purpose: 'codec' },
      { ...context, id: 'other' },
    ])
      await expect(root.unwrap(wrapped, elsewhere)).rejects.toMatchObject({ reason: 'not_authentic' });
  });

  it('unwraps with every key of the ring, and says what the first one made', async () => {
    const [old, rotated] = [rootOf(['r1', first]), rootOf(['r2', second], ['r1', first])];
    const wrapped = await old.wrap(first, context);
    expect(await rotated.unwrap(wrapped, context)).toEqual(first);
    expect([old.isCurrent(wrapped), rotated.isCurrent(wrapped)]).toEqual([true, false]);
    expect(rotated.isCurrent(await rotated.wrap(first, context))).toBe(true);
  });

  it('says why it cannot, and never gives garbage', async () => {
    const wrapped = await rootOf(['r1', first]).wrap(first, context);
    await expect(rootOf(['r2', second]).unwrap(wrapped, context)).rejects.toMatchObject({
      reason: 'unknown_root_key',
      message: expect.stringContaining('r1') as unknown,
    });
    await expect(rootOf(['r1', second]).unwrap(wrapped, context)).rejects.toMatchObject({ reason: 'not_authentic' });
    for (const broken of ['', 'local:r1:', 'kms:arn:AAAA', wrapped.slice(0, -8), 'local:r1:AAAA'])
      await expect(rootOf(['r1', first]).unwrap(broken, context)).rejects.toThrow(/Data key/);
  });
});

describe('the data keys of a process', () => {
  const times = { refreshAfterMs: 60_000, staleAfterMs: 300_000 };
  const root = rootOf(['r1', first]);
  let [rows, loads, fresh, isAway, now]: [DataKeyRow[], number, boolean, boolean, number] = [[], 0, true, false, 0];
  /** Until when the answer to a question is on its way. */
  let onItsWay: Promise<void> = Promise.resolve();
  const store = {
    load: async () => {
      loads += 1;
      if (isAway) throw new Error('away');
      const found = [...rows];
      await onItsWay;
      return found;
    },
    create: (made: readonly DataKeyRow[]) => {
      rows.push(...made.filter(({ purpose }) => !rows.some((row) => row.purpose === purpose)));
      return Promise.resolve();
    },
    isFresh: () => Promise.resolve(fresh),
  };
  const create = (rootKey = root) => createDataKeys(store, rootKey, times, () => now);
  const rotate = async (): Promise<DataKeyRow> => {
    const made = await newDataKey(root, 'fields', new Date());
    rows = [...rows.map((row) => (row.purpose === 'fields' ? { ...row, state: 'RETIRING' as const } : row)), made];
    return made;
  };
  beforeEach(() => {
    [rows, loads, fresh, isAway, now] = [[], 0, true, false, 1_000_000];
  });

  it('are made for a new installation, one of each purpose, the same for all processes', async () => {
    const [one, other] = [create(), create()];
    await Promise.all([one.check(), other.check()]);
    expect(rows.map(({ purpose }) => purpose).sort()).toEqual([...DATA_KEY_PURPOSES].sort());
    for (const purpose of DATA_KEY_PURPOSES) {
      const { id, key } = await one.active(purpose);
      expect(await other.find(purpose, id)).toEqual(key);
      expect(id).toMatch(new RegExp(`^${purpose}-\\d{8}-[0-9a-f]{8}$`));
      expect(id.length).toBeLessThanOrEqual(32);
    }
    expect((await one.active('fields')).key).not.toEqual((await one.active('codec')).key);
  });

  it('are refused where the database holds accounts and the key store is gone', async () => {
    fresh = false;
    await expect(create().check()).rejects.toMatchObject({ name: 'DataKeyError', reason: 'key_store_missing' });
    expect(rows).toEqual([]);
    fresh = true;
    await create().check();
    rows = rows.filter(({ purpose }) => purpose !== 'codec');
    fresh = false;
    await expect(create().check()).rejects.toThrow('no data keys for codec');
    expect(rows).toHaveLength(DATA_KEY_PURPOSES.length - 1);
  });

  it('are refused under another root key', async () => {
    await create().check();
    await expect(create(rootOf(['r2', second])).check()).rejects.toMatchObject({ reason: 'unknown_root_key' });
    await expect(create(rootOf(['r1', second])).active('fields')).rejects.toMatchObject({ reason: 'not_authentic' });
  });

  it('are loaded again after a while, and go on for a while when the database is away', async () => {
    const keys = create();
    const { id } = await keys.active('fields');
    const { id: newer } = await rotate();
    expect((await keys.active('fields')).id).toBe(id);
    now += times.refreshAfterMs;
    expect((await keys.active('fields')).id).toBe(newer);
    expect(await keys.find('fields', id)).toBeInstanceOf(Buffer);
    isAway = true;
    now += times.staleAfterMs - 1;
    expect((await keys.active('fields')).id).toBe(newer);
    now += 1;
    await expect(keys.active('fields')).rejects.toThrow('away');
  });

  it('learn of a newer key by a value that it made, however young what they know is', async () => {
    const keys = create();
    await keys.check();
    const ids = [await rotate(), await rotate()].map(({ id }) => id);
    for (const id of ids) expect(await keys.find('fields', id)).toBeInstanceOf(Buffer);
    const before = loads;
    for (const id of ids) expect(await keys.find('fields', id)).toBeInstanceOf(Buffer);
    expect(loads).toBe(before);
    expect(await keys.find('fields', 'invented')).toBeUndefined();
    expect(await keys.find('codec', ids[0] ?? '')).toBeUndefined();
  });

  it('learn of one that was made while the database was answering already', async () => {
    const keys = create();
    await keys.check();
    let arrive: () => void = () => undefined;
    onItsWay = new Promise((resolve) => (arrive = resolve));
    const answering = keys.check();
    const { id } = await rotate();
    const found = keys.find('fields', id);
    arrive();
    await answering;
    expect(await found).toBeInstanceOf(Buffer);
  });
});
