import { type ServiceError, status } from '@grpc/grpc-js';

import { BadRequest, ErrorInfo, LocalizedMessage, RequestInfo, RetryInfo } from './generated/google/rpc/error_details';
import { Status } from './generated/google/rpc/status';

/** A field of the request that is wrong. */
export interface FieldViolation {
  readonly field: string;
  /** For people; follows `accept-language`. */
  readonly description: string;
  /** For programs, such as `password_too_common`; empty where the server gives none. */
  readonly reason: string;
}

/** Why a call failed. */
export class AuthError extends Error {
  /** Status of gRPC: a value of `status` of grpc-js. */
  readonly grpcCode: status;
  /** Code of the API, which never changes, such as `invalid_credentials`; undefined where no server answered. */
  readonly reason: string | undefined;
  /** To show to people; follows `accept-language`. The message is for logs. */
  readonly localizedMessage: string | undefined;
  readonly violations: readonly FieldViolation[];
  /** When to try again, milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** To quote to whoever runs the service. */
  readonly requestId: string | undefined;

  constructor(error: ServiceError) {
    const details = readDetails(error);
    super(error.details, { cause: error });
    this.name = 'AuthError';
    this.grpcCode = error.code;
    this.reason = details.reason;
    this.localizedMessage = details.localizedMessage;
    this.violations = details.violations;
    this.retryAfterMs = details.retryAfterMs;
    this.requestId = details.requestId;
  }

  /** The server could not be reached or did not answer in time: it is not known whether the call was carried out. */
  get isUnreachable(): boolean {
    return this.reason === undefined && [status.UNAVAILABLE, status.DEADLINE_EXCEEDED].includes(this.grpcCode);
  }
}

const TYPE = 'type.googleapis.com/google.rpc.';

const readDetails = ({ metadata }: ServiceError) => {
  const [binary] = (metadata as ServiceError['metadata'] | undefined)?.get('grpc-status-details-bin') ?? [];
  const details = Buffer.isBuffer(binary) ? Status.decode(binary).details : [];
  const find = <T>(name: string, { decode }: { readonly decode: (bytes: Uint8Array) => T }): T | undefined => {
    const detail = details.find(({ typeUrl }) => typeUrl === TYPE + name);
    return detail === undefined ? undefined : decode(detail.value);
  };
  const delay = find('RetryInfo', RetryInfo)?.retryDelay;
  return {
    reason: find('ErrorInfo', ErrorInfo)?.reason,
    localizedMessage: find('LocalizedMessage', LocalizedMessage)?.message,
    violations: (find('BadRequest', BadRequest)?.fieldViolations ?? []).map(({ field, description, reason }) => ({
      ...{ field, description, reason },
    })),
    retryAfterMs: delay === undefined ? undefined : delay.seconds * 1_000 + delay.nanos / 1_000_000,
    requestId: find('RequestInfo', RequestInfo)?.requestId,
  };
};
