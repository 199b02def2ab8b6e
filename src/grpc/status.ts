import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  Any,
  BadRequest,
  BadRequest_FieldViolation,
  ErrorInfo,
  LocalizedMessage,
  RequestInfo,
  RetryInfo,
} from 'nice-grpc-error-details';
import { Status } from 'nice-grpc-error-details/lib/proto/google/rpc/status';

import { type AppError, type ErrorCode, ERRORS, type FieldError } from '../contracts/errors';

/** Of `ErrorInfo`: whose reasons they are. */
const DOMAIN = 'meqenet.et';

/** What an HTTP status is to gRPC; the codes are those of the HTTP API, so only its statuses can come. */
const BY_HTTP_STATUS: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  408: status.DEADLINE_EXCEEDED,
  409: status.FAILED_PRECONDITION,
  410: status.FAILED_PRECONDITION,
  413: status.RESOURCE_EXHAUSTED,
  422: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
  500: status.INTERNAL,
  502: status.UNAVAILABLE,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};
/** Where the HTTP status says too little. */
const BY_CODE: Partial<Readonly<Record<ErrorCode, status>>> = { idempotency_in_flight: status.ABORTED };

/** google.rpc.Code of an error. */
export const statusOf = (code: ErrorCode): status =>
  BY_CODE[code] ?? BY_HTTP_STATUS[ERRORS[code].status] ?? status.UNKNOWN;

/** `/consents/0/faydaId` is `consents[0].fayda_id`: paths are those of the messages. */
const toFieldPath = (path: string): string =>
  path
    .replace(/^\//, '')
    .replaceAll(/\/(\d+)(?=\/|$)/g, '[$1]')
    .replaceAll('/', '.')
    .replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** What an error says to people. */
export interface Texts {
  /** `en` or `am`. */
  readonly locale: string;
  readonly detail: string;
  /** With messages in the language. */
  readonly errors: readonly FieldError[] | undefined;
}

interface MessageFns<T> {
  readonly encode: (message: T) => { finish(): Uint8Array };
}
const pack = <T>(name: string, type: MessageFns<T>, message: T): Any =>
  Any.fromPartial({
    typeUrl: `type.googleapis.com/google.rpc.${name}`,
    value: Buffer.from(type.encode(message).finish()),
  });

/** `reason = 3` of a violation is newer than the library's messages. */
const REASON_TAG = (3 << 3) | 2;
const VIOLATION_TAG = (1 << 3) | 2;
const BadRequestWithReasons: MessageFns<readonly FieldError[]> = {
  encode: (errors) => {
    const writer = BadRequest.encode(BadRequest.fromPartial({}));
    for (const { path, code, message } of errors) {
      const violation = BadRequest_FieldViolation.fromPartial({ field: toFieldPath(path), description: message });
      BadRequest_FieldViolation.encode(violation, writer.uint32(VIOLATION_TAG).fork())
        .uint32(REASON_TAG)
        .string(code)
        .join();
    }
    return writer;
  },
};

const detailsOf = (error: AppError, requestId: string, { locale, detail, errors }: Texts): Any[] => [
  pack('ErrorInfo', ErrorInfo, ErrorInfo.fromPartial({ reason: error.code, domain: DOMAIN })),
  pack('RequestInfo', RequestInfo, RequestInfo.fromPartial({ requestId })),
  pack('LocalizedMessage', LocalizedMessage, LocalizedMessage.fromPartial({ locale, message: detail })),
  ...(errors === undefined ? [] : [pack('BadRequest', BadRequestWithReasons, errors)]),
  ...(error.retryAfterSeconds === undefined
    ? []
    : [
        pack(
          'RetryInfo',
          RetryInfo,
          RetryInfo.fromPartial({ retryDelay: { seconds: Math.ceil(error.retryAfterSeconds), nanos: 0 } }),
        ),
      ]),
];

export type ErrorAnswer = Pick<ServiceError, 'code' | 'details' | 'metadata'>;

/**
 * An error as a client of gRPC gets it: code and message, and a google.rpc.Status with its details in `grpc-status-details-bin`
 * (https://grpc.io/docs/guides/error/#richer-error-model).
 */
export const toServiceError = (error: AppError, requestId: string, texts: Texts): ErrorAnswer => {
  const [code, message] = [statusOf(error.code), ERRORS[error.code].title];
  const metadata = new Metadata();
  const details = detailsOf(error, requestId, texts);
  metadata.set(
    'grpc-status-details-bin',
    Buffer.from(Status.encode({ $type: 'google.rpc.Status', code, message, details }).finish()),
  );
  // As over HTTP, for who looks at no details: RetryInfo says the same.
  if (error.retryAfterSeconds !== undefined) metadata.set('retry-after', String(Math.ceil(error.retryAfterSeconds)));
  return { code, details: message, metadata };
};
