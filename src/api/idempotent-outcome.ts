import { AppError, type ErrorCode, type FieldError } from '../contracts/errors';
import type { RouteAnswer } from './route';

/** How a request ended: an answer, or what was thrown. */
export type Outcome = { readonly answer: RouteAnswer } | { readonly error: unknown };

/** An outcome as it is remembered. Language, request id and instance are those of each repetition, as of every answer. */
type Remembered =
  | { readonly answer: RouteAnswer }
  | {
      readonly problem: { readonly code: ErrorCode; readonly detail?: string; readonly errors?: readonly FieldError[] };
    };

const TOO_MANY_REQUESTS = 429;
const REPLAYED = { 'Idempotency-Replayed': 'true' };

/** Failures of ours, and "come back later": a repetition is meant to be tried again. */
const isTemporary = (status: number): boolean => status >= 500 || status === TOO_MANY_REQUESTS;
/** Also where the same request is to be repeated after another login. */
const isTemporaryError = (error: AppError): boolean =>
  isTemporary(error.status) ||
  error.retryAfterSeconds !== undefined ||
  error.code === 'reauthentication_required' ||
  error.code === 'step_up_required' ||
  error.code === 'mfa_enrollment_required';

const toRemembered = (outcome: Outcome): Remembered | undefined => {
  if ('answer' in outcome) return isTemporary(outcome.answer.status) ? undefined : outcome;
  const { error } = outcome;
  if (!(error instanceof AppError) || isTemporaryError(error)) return undefined;
  const { code, detail, errors } = error;
  return { problem: { code, ...(detail !== undefined && { detail }), ...(errors !== undefined && { errors }) } };
};

/** The text by which an outcome is remembered; undefined where it must not be. */
export const writeOutcome = (outcome: Outcome): string | undefined => {
  const remembered = toRemembered(outcome);
  return remembered && JSON.stringify(remembered);
};

/** The outcome again. @throws {AppError} where it was one */
export const readOutcome = (text: string): RouteAnswer => {
  const remembered = JSON.parse(text) as Remembered;
  if ('answer' in remembered) return { ...remembered.answer, headers: { ...remembered.answer.headers, ...REPLAYED } };
  const { code, ...options } = remembered.problem;
  throw new AppError(code, { ...options, headers: REPLAYED });
};
