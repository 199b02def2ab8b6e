import { describe, expect, it } from '@jest/globals';

import { AppError, type ErrorCode } from '../contracts/errors';
import { readOutcome, writeOutcome } from './idempotent-outcome';

const rethrown = (text: string | undefined): unknown => {
  try {
    return readOutcome(text ?? '');
  } catch (error) {
    return error;
  }
};

describe('the outcome of a request', () => {
  it('is an answer with its headers, marked when it is given again', () => {
    const answer = { status: 201, body: { a: [1, null] }, headers: { Location: '/x' } };
    expect(readOutcome(writeOutcome({ answer }) ?? '')).toEqual({
      ...answer,
      headers: { Location: '/x', 'Idempotency-Replayed': 'true' },
    });
    expect(readOutcome(writeOutcome({ answer: { status: 204 } }) ?? '')).toMatchObject({ status: 204 });
  });

  it('is a problem with its fields, marked as well', () => {
    const errors = [{ path: '/password', code: 'password_too_common', message: 'is too common' } as const];
    const error = rethrown(writeOutcome({ error: new AppError('validation_failed', { detail: 'So it is', errors }) }));
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({
      code: 'validation_failed',
      message: 'So it is',
      errors,
      headers: { 'Idempotency-Replayed': 'true' },
    });
  });

  it.each<[string, unknown]>([
    ['overloaded', new AppError('overloaded')],
    ['service_unavailable', new AppError('service_unavailable')],
    ['internal_error', new AppError('internal_error')],
    ['429', new AppError('resend_too_soon')],
    ['Retry-After', new AppError('account_locked' satisfies ErrorCode, { retryAfterSeconds: 60 })],
    ['another login', new AppError('reauthentication_required')],
    ['what nobody expected', new Error('boom')],
  ])('is not remembered when it asks to come back: %s', (_name, error) => {
    expect(writeOutcome({ error })).toBeUndefined();
  });

  it('is not remembered when it is an answer of 5xx', () => {
    expect(writeOutcome({ answer: { status: 503, body: {} } })).toBeUndefined();
  });
});
