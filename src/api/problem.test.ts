import { describe, expect, it } from '@jest/globals';

import { AppError, type ErrorCode, ERRORS, type FieldErrorCode } from '../contracts/errors';
import { toProblem } from './problem';
import { AMHARIC_DETAILS, AMHARIC_FIELD_MESSAGES } from './problem-am';

const CODES = Object.keys(ERRORS) as ErrorCode[];
const FIELD_CODES = Object.keys(AMHARIC_FIELD_MESSAGES) as FieldErrorCode[];
const ETHIOPIC = /\p{Script=Ethiopic}/u;
const REQUEST = { instance: '/v1/somewhere', requestId: '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11' };

describe('every error in English and Amharic', () => {
  it.each(CODES)('%s', (code) => {
    const error = new AppError(code);
    const [english, amharic] = [
      toProblem(error, { ...REQUEST, locale: 'en' }),
      toProblem(error, { ...REQUEST, locale: 'am' }),
    ];
    expect(english.detail).not.toMatch(ETHIOPIC);
    expect(english.detail.length).toBeGreaterThan(10);
    expect(amharic.detail).toMatch(ETHIOPIC);
    expect({ ...amharic, detail: '' }).toEqual({ ...english, detail: '' });
  });

  it.each(FIELD_CODES)('field error %s', (code) => {
    const error = new AppError('validation_failed', { errors: [{ path: '/x', code, message: 'is wrong' }] });
    expect(toProblem(error, { ...REQUEST, locale: 'en' }).errors).toEqual([{ path: '/x', code, message: 'is wrong' }]);
    const { errors } = toProblem(error, { ...REQUEST, locale: 'am' });
    expect(errors).toEqual([{ path: '/x', code, message: AMHARIC_FIELD_MESSAGES[code] }]);
    expect(AMHARIC_FIELD_MESSAGES[code]).toMatch(ETHIOPIC);
  });

  it('says something different for each', () => {
    expect(new Set(Object.values(AMHARIC_DETAILS)).size).toBe(CODES.length);
    expect(new Set(Object.values(ERRORS).map(({ title }) => title)).size).toBe(CODES.length);
    expect(new Set(Object.values(AMHARIC_FIELD_MESSAGES)).size).toBe(FIELD_CODES.length);
  });
});
