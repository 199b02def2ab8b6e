import { describe, expect, test } from '@jest/globals';
import { UnrecoverableError } from 'bullmq';

import { reasonOf, toJobFailure } from './job-failure';

describe('toJobFailure', () => {
  test('is unrecoverable for an error that calls itself permanent, and only for that', () => {
    expect(toJobFailure(Object.assign(new Error('no'), { permanent: true }))).toBeInstanceOf(UnrecoverableError);
    expect(toJobFailure(Object.assign(new Error('no'), { permanent: false }))).not.toBeInstanceOf(UnrecoverableError);
    expect(toJobFailure(new Error('no'))).not.toBeInstanceOf(UnrecoverableError);
    expect(toJobFailure(undefined)).not.toBeInstanceOf(UnrecoverableError);
  });

  test('keeps where it happened and drops addresses, from the stack too', () => {
    const failure = toJobFailure(new TypeError('550 <abebe@example.et>: unknown\nabebe@example.et'));
    expect(failure.message).toBe('TypeError: 550 <[address]>: unknown\n[address]');
    expect(failure.stack).toContain('job-failure.test.ts');
    expect(failure.stack).not.toContain('abebe@');
  });

  test('shortens', () => {
    expect(reasonOf(new Error('x'.repeat(100_000))).length).toBe(500);
  });
});
