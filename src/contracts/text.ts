import { z } from 'zod';

/**
 * Text from outside: no NUL (PostgreSQL cannot store it), no other control characters (log and header injection),
 * no lone surrogates (they do not survive UTF-8).
 */
export const isCleanText = (value: string): boolean => value.isWellFormed() && !/\p{Cc}/u.test(value);

/** Embeddings, overrides and isolates turn the text after them around: a name in a mail or a table could pose as another. */
const hasDirectionControls = (value: string): boolean => /[\u202A-\u202E\u2066-\u2069]/.test(value);

export const cleanText = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .refine(
      (value) => isCleanText(value) && !hasDirectionControls(value),
      'must not hold control characters or lone surrogates',
    );
