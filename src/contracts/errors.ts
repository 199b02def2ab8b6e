/**
 * Every error that leaves the service: its stable code, the HTTP status and the English title.
 * Clients branch on the code, which never changes; `detail` may.
 */
export const ERRORS = {
  malformed_request: { status: 400, title: 'The request is not well-formed HTTP' },
  malformed_json: { status: 400, title: 'The body is not well-formed JSON' },
  malformed_message: { status: 400, title: 'The message is not well-formed Protocol Buffers' },
  validation_failed: { status: 400, title: 'The request does not have the expected form' },
  invalid_idempotency_key: { status: 400, title: 'The Idempotency-Key is not well-formed' },
  invalid_credentials: { status: 401, title: 'The credentials are wrong' },
  invalid_token: { status: 401, title: 'The access token is missing, wrong, expired or revoked' },
  invalid_service_token: { status: 401, title: 'The service that calls has not shown who it is' },
  invalid_refresh_token: { status: 401, title: 'The refresh token is wrong, expired, used or revoked' },
  reauthentication_required: { status: 401, title: 'Log in again, or send the current password' },
  invalid_mfa_token: { status: 401, title: 'The login is over or was begun elsewhere; log in again' },
  verification_required: { status: 403, title: 'The e-mail address must be verified first' },
  account_locked: { status: 403, title: 'The account is locked' },
  forbidden: { status: 403, title: 'The caller has no right to this' },
  step_up_required: { status: 403, title: 'A second factor must be shown first' },
  cooling_off: { status: 403, title: 'The phone number was changed lately; this has to wait' },
  mfa_enrollment_required: { status: 403, title: 'An authenticator app or a passkey must be set up first' },
  factor_not_allowed: { status: 403, title: 'This kind of second factor cannot be set up here' },
  own_account: { status: 403, title: 'Nobody may do this to their own account' },
  not_found: { status: 404, title: 'There is nothing at this address' },
  registration_not_found: { status: 404, title: 'There is no such registration' },
  enrollment_not_found: { status: 404, title: 'The caller has no such enrolment' },
  factor_not_found: { status: 404, title: 'The caller has no such factor' },
  recovery_not_found: { status: 404, title: 'There is no such account recovery' },
  device_not_found: { status: 404, title: 'The caller has no such remembered device' },
  session_not_found: { status: 404, title: 'The caller has no such session' },
  export_not_found: { status: 404, title: 'The caller has no such export' },
  export_not_ready: { status: 409, title: 'The export is still being made' },
  export_expired: { status: 410, title: 'The export is gone; ask for another one' },
  export_limit_reached: { status: 429, title: 'No more exports can be made today' },
  erasure_not_found: { status: 404, title: 'The account is not to be erased' },
  consent_not_found: { status: 404, title: 'The caller has never given this consent' },
  user_not_found: { status: 404, title: 'There is no such account' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  registration_completed: { status: 409, title: 'The registration has been completed' },
  idempotency_in_flight: { status: 409, title: 'The first request with this Idempotency-Key is still being worked on' },
  last_administrator: { status: 409, title: 'The last administrator must stay one' },
  user_state_conflict: { status: 409, title: 'The account is not in a state that allows this' },
  factor_required: { status: 409, title: 'The roles of the account need this second factor; set up another one first' },
  consent_required: { status: 409, title: 'The account cannot be without this consent; erase the account instead' },
  consent_version_unknown: { status: 409, title: 'Consent is asked for to another version of this document' },
  phone_not_verified: { status: 409, title: 'The account has no phone that a code has proven' },
  too_many_passkeys: { status: 409, title: 'The account has as many passkeys as it may have' },
  enrollment_confirmed: { status: 409, title: 'The enrolment has been confirmed' },
  recovery_closed: { status: 410, title: 'The account recovery has ended' },
  enrollment_ended: { status: 410, title: 'The enrolment has ended; begin another one' },
  registration_expired: { status: 410, title: 'The registration has expired' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported' },
  invalid_passkey: { status: 422, title: 'The passkey could not be verified' },
  payload_not_decodable: { status: 422, title: 'A payload cannot be decoded with the keys at hand' },
  invalid_code: { status: 422, title: 'The code is wrong or no longer works' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used for another request' },
  invalid_reset_token: { status: 422, title: 'The reset link is wrong, expired or used' },
  invalid_recovery_token: { status: 422, title: 'The recovery link is wrong, expired or used' },
  rate_limited: { status: 429, title: 'Too many requests; try again later' },
  recovery_delayed: { status: 429, title: 'An account recovery cannot begin yet; try again later' },
  login_delayed: { status: 429, title: 'Too many failed logins; try again later' },
  too_many_attempts: { status: 429, title: 'Too many wrong codes; ask for a new one' },
  resend_too_soon: { status: 429, title: 'A code was sent less than a minute ago' },
  resend_limit_reached: { status: 429, title: 'No more codes can be sent for now' },
  headers_too_large: { status: 431, title: 'The request headers are too large' },
  internal_error: { status: 500, title: 'Something went wrong on our side' },
  bad_gateway: { status: 502, title: 'The service behind the gateway could not be reached' },
  gateway_timeout: { status: 504, title: 'The service behind the gateway did not answer in time' },
  overloaded: { status: 503, title: 'The service is busy; try again shortly' },
  sms_unavailable: { status: 503, title: 'No SMS can be sent now' },
  service_unavailable: { status: 503, title: 'The service cannot do this now; try again shortly' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** What can be wrong with a field. The first ten are those of Zod, which clients meet as they are. */
export type FieldErrorCode =
  | 'invalid_type'
  | 'invalid_value'
  | 'invalid_format'
  | 'invalid_union'
  | 'invalid_key'
  | 'invalid_element'
  | 'too_small'
  | 'too_big'
  | 'not_multiple_of'
  | 'custom'
  | 'unrecognized_key'
  | 'invalid_cursor'
  | 'password_too_short'
  | 'password_too_common'
  | 'password_too_simple'
  | 'password_breached'
  | 'password_personal';

/** One field that is wrong: `path` is a JSON pointer into the body, or the name of a parameter. */
export interface FieldError {
  readonly path: string;
  readonly code: FieldErrorCode;
  readonly message: string;
}

export interface AppErrorOptions {
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Seconds, sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Further headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** The one error class of the service. What is not an `AppError` leaves as `internal_error`, its text only in the log. */
export class AppError extends Error {
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;

  constructor(
    readonly code: ErrorCode,
    options: AppErrorOptions = {},
  ) {
    super(options.detail ?? ERRORS[code].title, { cause: options.cause });
    this.name = 'AppError';
    this.detail = options.detail;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}
