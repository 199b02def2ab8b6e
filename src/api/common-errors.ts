import type { ErrorCode } from '../contracts/errors';
import { limitClassOf } from './limit-class';
import { isWrite, type Route } from './route';

/** Of every route that changes something. */
const IDEMPOTENCY_ERRORS = ['invalid_idempotency_key', 'idempotency_in_flight', 'idempotency_key_reused'] as const;

/** The problems that the guard and the idempotency of writes can answer for a route, by what the route declares. */
export const commonErrors = (route: Route): readonly ErrorCode[] => {
  const { method, auth, permission, assurance, duringEnrollment, highRisk, params, query, body } = route;
  return [
    'internal_error',
    'service_unavailable',
    ...(limitClassOf(route) === 'none' ? [] : (['rate_limited'] as const)),
    ...(isWrite({ method }) ? IDEMPOTENCY_ERRORS : []),
    ...(auth === 'bearer' ? (['invalid_token'] as const) : []),
    ...(auth === 'bearer' && duringEnrollment !== true ? (['mfa_enrollment_required'] as const) : []),
    ...(permission === undefined ? [] : (['forbidden'] as const)),
    ...(permission === undefined && assurance === undefined ? [] : (['step_up_required'] as const)),
    ...(highRisk === true ? (['cooling_off'] as const) : []),
    ...(params !== undefined || query !== undefined || body !== undefined ? (['validation_failed'] as const) : []),
    ...(body === undefined
      ? []
      : (['malformed_json', 'request_timeout', 'payload_too_large', 'unsupported_media_type'] as const)),
  ];
};
