import type { z } from 'zod';

import { AppError, type FieldError } from '../contracts/errors';

/** More would only repeat what the first ones say, and a hostile body can hold thousands. */
const MAX_ERRORS = 20;
/** A key comes from the client and may be as long as the body. */
const MAX_PATH_LENGTH = 200;

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];
/** How the place of an error is written: a JSON pointer (RFC 6901) in a body, the name of a parameter elsewhere. */
export type PathStyle = 'pointer' | 'name';

const writePath = (path: Path, style: PathStyle): string => {
  const text =
    style === 'name'
      ? path.map(String).join('.')
      : path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return text.slice(0, MAX_PATH_LENGTH).toWellFormed();
};

/** The alternative of a union that the input comes closest to: the one with the fewest complaints. */
const closest = (alternatives: readonly (readonly Issue[])[]): readonly Issue[] =>
  alternatives.reduce((best, next) => (next.length < best.length ? next : best), alternatives[0] ?? []);

function* flatten(issues: readonly Issue[], base: Path, style: PathStyle): Generator<FieldError> {
  for (const issue of issues) {
    const path = [...base, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        yield { path: writePath([...path, key], style), code: 'unrecognized_key', message: 'is not a known field' };
      }
    } else if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      yield* flatten(closest(issue.errors), path, style);
    } else {
      yield { path: writePath(path, style), code: issue.code, message: issue.message };
    }
  }
}

/** Zod's issues as field errors. Zod's messages and the schemas' own say what is expected and never show what was sent. */
export const toFieldErrors = (issues: readonly Issue[], style: PathStyle): FieldError[] => {
  const errors: FieldError[] = [];
  for (const error of flatten(issues, [], style)) {
    errors.push(error);
    if (errors.length === MAX_ERRORS) break;
  }
  return errors;
};

/** @throws {AppError} `validation_failed` with every field that is wrong */
export const parseInput = <S extends z.ZodType>(schema: S, input: unknown, style: PathStyle): z.output<S> => {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new AppError('validation_failed', { errors: toFieldErrors(result.error.issues, style) });
};
