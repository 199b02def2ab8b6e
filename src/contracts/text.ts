import { z } from 'zod';

/**
 * Text from outside: no NUL (PostgreSQL cannot store it), no other control characters (log and header injection),
 * no lone surrogates (they do not survive UTF-8).
 */
export const isCleanText = (value: string): boolean => value.isWellFormed() && !/\p{Cc}/u.test(value);

/** Embeddings, overrides and isolates turn the text after them around: a name in a mail or a table could pose as another. */
const hasDirectionControls = (value: string): boolean => /[\u202A-\u202E\u2066-\u2069]/.test(value);

/** What the rules below refuse, for the patterns of the document. A lone surrogate is no character and needs no mention. */
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f';
const DIRECTIONS = '\\u202a-\\u202e\\u2066-\\u2069';
/** What `trim` takes away besides control characters. */
const BLANKS = ' \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff';
const NO_CONTROLS = `^[^${CONTROLS}]*$`;
const NO_DIRECTIONS = `^[^${CONTROLS}${DIRECTIONS}]*$`;
/** At least one character that is no blank. */
export const NOT_BLANK = `^[^${CONTROLS}${DIRECTIONS}]*[^${CONTROLS}${DIRECTIONS}${BLANKS}][^${CONTROLS}${DIRECTIONS}]*$`;
/** At least three characters once trimmed. */
export const THREE_OR_MORE = `^[${BLANKS}]*[^${CONTROLS}${DIRECTIONS}${BLANKS}][^${CONTROLS}${DIRECTIONS}]+[^${CONTROLS}${DIRECTIONS}${BLANKS}][${BLANKS}]*$`;

/** Characters (code points); what is longer than `limit` even in UTF-16 is not looked at. */
const lengthUpTo = (value: string, limit: number): number =>
  value.length > 2 * limit ? value.length : [...value].length;

/** Text whose length is counted in characters (code points), as JSON Schema counts it; Zod by itself counts UTF-16 units. */
export const boundedText = (minLength: number, maxLength: number) =>
  z
    .string()
    .check(({ value, issues }) => {
      const length = lengthUpTo(value, maxLength);
      const issue = { origin: 'string', inclusive: true, input: value } as const;
      if (length > maxLength)
        issues.push({
          ...{ ...issue, code: 'too_big', maximum: maxLength },
          message: `Too big: expected string to have <=${String(maxLength)} characters`,
        });
      if (length < minLength)
        issues.push({
          ...{ ...issue, code: 'too_small', minimum: minLength },
          message: `Too small: expected string to have >=${String(minLength)} characters`,
        });
    })
    .meta({ maxLength, ...(minLength > 0 && { minLength }) });

const REFUSAL = 'must not hold control characters or lone surrogates';

/** Text that people will see. */
export const cleanText = (maxLength: number) =>
  boundedText(0, maxLength)
    .refine((value) => isCleanText(value) && !hasDirectionControls(value), REFUSAL)
    .meta({ pattern: NO_DIRECTIONS });

/** Text that is only compared: a password, a token. */
export const secretText = (minLength: number, maxLength: number) =>
  boundedText(minLength, maxLength).refine(isCleanText, REFUSAL).meta({ pattern: NO_CONTROLS });
