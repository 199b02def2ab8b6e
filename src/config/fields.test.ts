import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { duration, integer } from './fields';
import { limitPolicy } from './limit-policy';

const field = duration('1s', 'A test');
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const LONGEST = 3_650 * UNITS.d;
const RUNS = { numRuns: 500 };
const anyText = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(...Array.from('0123456789'), 'ms', 's', 'm', 'h', 'd', 'y', '.', '-', ' ', 'e'),
    maxLength: 12,
  }),
);

describe('a duration', () => {
  test('is its number of milliseconds', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('ms', 's', 'm', 'h', 'd'), (amount, unit) => {
        const milliseconds = amount * UNITS[unit];
        const result = field.safeParse(`${String(amount)}${unit}`);
        expect(result.data).toBe(milliseconds > 0 && milliseconds <= LONGEST ? milliseconds : undefined);
      }),
      RUNS,
    );
  });
  test('of any text is a whole number in its bounds, or refused', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const result = field.safeParse(text);
        expect(result.success).toBe(/^\d+(ms|s|m|h|d)$/.test(text) && Number(result.data) >= 1);
        if (result.success) expect(Number.isInteger(result.data) && result.data <= LONGEST).toBe(true);
      }),
      RUNS,
    );
  });
});

test('a whole number is written in digits and within its bounds, or refused', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.integer().map(String)), (text) => {
      const { data } = integer(5, 1, 4_711, 'A test').safeParse(text);
      const isGood = /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 4_711;
      expect(data).toBe(isGood ? Number(text) : undefined);
    }),
    RUNS,
  );
});

describe('a limit', () => {
  const schema = limitPolicy('address=1,window=1s', 'A test');
  test('is read in every order of its parts', () => {
    const quotas = fc.record(
      { caller: fc.integer({ min: 1, max: 999_999_999 }), address: fc.integer({ min: 1, max: 999_999_999 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(quotas, fc.integer({ min: 1, max: 99_999 }), fc.boolean(), (given, window, isFirst) => {
        const parts = Object.entries(given).map(([name, quota]) => `${name}=${String(quota)}`);
        const all = isFirst ? [`window=${String(window)}s`, ...parts] : [...parts, ` window=${String(window)}s `];
        expect(schema.parse(all.join(','))).toEqual({ ...given, windowSeconds: window });
      }),
      RUNS,
    );
  });
  test('of any text is whole seconds and positive numbers, or refused', () => {
    const anyPolicy = fc.string({
      unit: fc.constantFrom('caller', 'account', 'window', '=', ',', '1', '0', 'm', 's', 'h', '-', ' ', '__proto__'),
      maxLength: 14,
    });
    fc.assert(
      fc.property(fc.oneof(anyText, anyPolicy), (text) => {
        const { data } = schema.safeParse(text);
        if (data === undefined) return;
        expect(data.windowSeconds).toBeGreaterThan(0);
        for (const quota of Object.values(data)) expect(Number.isInteger(quota) && Number(quota) > 0).toBe(true);
      }),
      RUNS,
    );
  });
});
