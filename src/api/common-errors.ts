import type { ErrorCode } from '../contracts/errors';
import type { Route } from './route';

/** The problems that the guard itself can answer for a route, by what the route declares. */
export const commonErrors = ({ auth, params, query, body }: Route): readonly ErrorCode[] => [
  'internal_error',
  'service_unavailable',
  ...(auth === 'bearer' ? (['invalid_token'] as const) : []),
  ...(params !== undefined || query !== undefined || body !== undefined ? (['validation_failed'] as const) : []),
  ...(body === undefined
    ? []
    : (['malformed_json', 'request_timeout', 'payload_too_large', 'unsupported_media_type'] as const)),
];
