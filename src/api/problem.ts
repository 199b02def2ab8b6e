import { z } from 'zod';

import { type AppError, type ErrorCode, ERRORS } from '../contracts/errors';
import type { Locale } from '../contracts/locale';
import { AMHARIC_DETAILS, AMHARIC_FIELD_MESSAGES } from './problem-am';

export const PROBLEM_TYPE = 'application/problem+json';
const CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

const fieldErrorSchema = z
  .object({
    path: z.string().meta({ description: 'JSON pointer into the body, or the name of a parameter', example: '/email' }),
    code: z.string().meta({ description: 'Kind of the error; does not change', example: 'invalid_format' }),
    message: z.string().meta({ description: 'For people; follows Accept-Language', example: 'Invalid email address' }),
  })
  .meta({ id: 'FieldError' });

/** RFC 9457. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'urn:meqenet:problem:<code>', example: 'urn:meqenet:problem:not_found' }),
    title: z.string().meta({ description: 'The kind of problem, in English' }),
    status: z.int().meta({ description: 'HTTP status' }),
    detail: z.string().meta({ description: 'For people; follows Accept-Language (en, am)' }),
    instance: z.string().meta({ description: 'Path of the request' }),
    code: z.enum(CODES).meta({
      description: 'For programs. What a code means does not change; there will be more of them',
    }),
    requestId: z.string().meta({ description: 'Also in X-Request-Id; quote it to support' }),
    errors: z.array(fieldErrorSchema).optional().meta({ description: 'Fields that are wrong' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });
export type Problem = z.output<typeof problemSchema>;

export interface ProblemContext {
  readonly instance: string;
  readonly requestId: string;
  readonly locale: Locale;
}

/** The answer that tells of an error. */
export const toProblem = (error: AppError, { instance, requestId, locale }: ProblemContext): Problem => {
  const { status, title } = ERRORS[error.code];
  const amharic = locale === 'am';
  return {
    type: `urn:meqenet:problem:${error.code}`,
    title,
    status,
    detail: amharic ? AMHARIC_DETAILS[error.code] : error.message,
    instance,
    code: error.code,
    requestId,
    ...(error.errors !== undefined && {
      errors: error.errors.map(({ path, code, message }) => ({
        path,
        code,
        message: amharic ? AMHARIC_FIELD_MESSAGES[code] : message,
      })),
    }),
  };
};
