import type { Role } from '../../src/contracts/session';

/** Whoever may call a route: anybody, every logged-in person, or the holders of these roles. */
export type Access = 'public' | 'everybody' | readonly Role[];

const USER_READERS: Access = ['SUPPORT', 'COMPLIANCE', 'ADMIN'];
const AUDITORS: Access = ['COMPLIANCE', 'ADMIN'];

/** Every route of the service. A new route needs a line here, written by hand: it is not derived from the code it checks. */
export const ROUTE_ACCESS: Readonly<Record<string, Access>> = {
  'GET /healthz': 'public',
  'GET /readyz': 'public',
  'GET /.well-known/jwks.json': 'public',
  'POST /v1/auth/register': 'public',
  'GET /v1/auth/register/{registrationId}': 'public',
  'POST /v1/auth/register/{registrationId}/verify': 'public',
  'POST /v1/auth/register/{registrationId}/resend': 'public',
  'POST /v1/auth/login': 'public',
  'POST /v1/auth/login/mfa': 'public',
  'POST /v1/auth/login/mfa/challenge': 'public',
  'POST /v1/auth/step-up': 'everybody',
  'POST /v1/auth/step-up/challenge': 'everybody',
  'POST /v1/auth/mfa/enrollments': 'everybody',
  'POST /v1/auth/mfa/enrollments/{id}/confirm': 'everybody',
  'DELETE /v1/auth/mfa/enrollments/{id}': 'everybody',
  'GET /v1/auth/mfa/factors': 'everybody',
  'DELETE /v1/auth/mfa/factors/{id}': 'everybody',
  'POST /v1/auth/mfa/recovery-codes': 'everybody',
  'GET /v1/auth/mfa/remembered-devices': 'everybody',
  'DELETE /v1/auth/mfa/remembered-devices/{id}': 'everybody',
  'POST /v1/auth/refresh': 'public',
  'POST /v1/auth/password/forgot': 'public',
  'POST /v1/auth/password/reset': 'public',
  'POST /v1/auth/password/change': 'everybody',
  'POST /v1/auth/logout': 'everybody',
  'POST /v1/auth/logout-all': 'everybody',
  'GET /v1/auth/sessions': 'everybody',
  'DELETE /v1/auth/sessions/{id}': 'everybody',
  'GET /v1/users/me': 'everybody',
  'PATCH /v1/users/me': 'everybody',
  'POST /v1/users/me/phone': 'everybody',
  'POST /v1/users/me/phone/confirm': 'everybody',
  'POST /v1/users/me/email': 'everybody',
  'POST /v1/users/me/email/confirm': 'everybody',
  'GET /v1/admin/users': USER_READERS,
  'GET /v1/admin/users/{id}': USER_READERS,
  'POST /v1/admin/users/{id}/lock': USER_READERS,
  'POST /v1/admin/users/{id}/unlock': USER_READERS,
  'POST /v1/admin/users/{id}/sessions/revoke': USER_READERS,
  'POST /v1/admin/users/{id}/roles': ['ADMIN'],
  'DELETE /v1/admin/users/{id}/roles/{role}': ['ADMIN'],
  'GET /v1/admin/audit-events': AUDITORS,
  'GET /v1/admin/audit-events/verify': AUDITORS,
};
