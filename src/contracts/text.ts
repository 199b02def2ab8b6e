import { z } from 'zod';

/**
 * Text from outside: no NUL (PostgreSQL cannot store it), no other control characters (log and header injection),
 * no lone surrogates (they do not survive UTF-8).
 */
export const isCleanText = (value: string): boolean => value.isWellFormed() && !/\p{Cc}/u.test(value);

export const cleanText = (maxLength: number) =>
  z.string().max(maxLength).refine(isCleanText, 'must not hold control characters or lone surrogates');
