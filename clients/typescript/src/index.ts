export { AuthError, type FieldViolation } from './auth-error';
export { type AuthClient, type CallOptions, type ChangedRoles, connect, type RevokedSession } from './client';
export type { ConnectOptions, Security } from './connect';
export * from './generated/auth/v1/auth';
