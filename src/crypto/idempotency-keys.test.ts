import { randomBytes, randomUUID } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { createIdempotencyKeys, type IdempotencyScope } from './idempotency-keys';

const rootKey = randomBytes(32);
const keys = createIdempotencyKeys(rootKey);
const scope: IdempotencyScope = {
  userId: randomUUID(),
  method: 'post',
  path: '/v1/things/:id',
  params: { id: 'a' },
};
const key = randomUUID();
const content = { query: null, body: { email: 'abebe@example.et', password: 'a long enough secret' } };
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('an idempotency key', () => {
  it('of one caller, route and parameters is another than that of any other', () => {
    const scopes: IdempotencyScope[] = [
      scope,
      { ...scope, userId: randomUUID() },
      { ...scope, userId: undefined },
      { ...scope, method: 'delete' },
      { ...scope, path: '/v1/things/:id/parts' },
      { ...scope, params: { id: 'b' } },
    ];
    const ids = [...scopes.map((one) => keys.of(one, key, content)), keys.of(scope, randomUUID(), content)];
    for (const part of ['id', 'fingerprint'] as const)
      expect(new Set(ids.map((one) => hex(one[part]))).size).toBe(ids.length);
    expect(hex(createIdempotencyKeys(randomBytes(32)).of(scope, key, content).id)).not.toBe(hex(ids[0]!.id));
  });

  it('keeps its id with another body, whose fingerprint differs', () => {
    const other = keys.of(scope, key, { ...content, body: { ...content.body, password: 'another' } });
    const first = keys.of(scope, key, content);
    expect(hex(other.id)).toBe(hex(first.id));
    expect(hex(other.fingerprint)).not.toBe(hex(first.fingerprint));
    expect(other.repetitionId).not.toBe(first.repetitionId);
  });

  it('does not depend on the order of fields, and on every value (property-based)', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, part]) => [name, reversed(part)]),
      );
    };
    const printOf = (body: unknown): string => hex(keys.of(scope, key, { body }).fingerprint);
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        expect(printOf(reversed(body))).toBe(printOf(body));
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        if (JSON.stringify(left) !== JSON.stringify(right) && printOf(left) === printOf(right))
          expect(left).toEqual(right);
      }),
    );
  });

  it('seals an answer for whoever shows it again, and for nobody else', () => {
    const sealed = keys.of(scope, key, content).seal('{"refreshToken":"secret"}');
    expect(keys.of(scope, key, content).open(sealed)).toBe('{"refreshToken":"secret"}');
    expect(() => keys.of(scope, randomUUID(), content).open(sealed)).toThrow();
    expect(() => keys.of({ ...scope, userId: undefined }, key, content).open(sealed)).toThrow();
  });
});
