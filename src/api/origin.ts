import type { RequestOrigin } from '../contracts/audit';
import type { RouteRequest } from './route';

/** Where a request came from, for the audit trail and the list of devices. */
export const originOf = ({
  requestId,
  ip,
  headers,
  callingService,
}: Pick<RouteRequest, 'requestId' | 'ip' | 'headers' | 'callingService'>): RequestOrigin => ({
  requestId,
  ip,
  callingService,
  userAgent: headers.userAgent,
  deviceId: headers.deviceId,
});
