export type { AccessTokenOptions } from './access-token';
export { type Acr, type AcrOptions, assertAcr, assertRole, type Auth } from './auth';
export { createEdge, type Edge, type EdgeOptions } from './edge';
export type { EdgeEvent, OnEvent } from './events';
export type { KeySetOptions } from './key-set';
export { EdgeError, type EdgeErrorCode, type Problem, PROBLEMS, type ProblemAnswer, toProblemAnswer } from './problem';
export type { ByStream, ByValidation, RevocationOptions, WhenStale } from './revocation-check';
export type { Revocation, RevocationSource, RolesChange, TokenValidator, Validation } from './source';
