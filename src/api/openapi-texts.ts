import type { oas31 } from 'zod-openapi';

import type { LimitClass } from '../contracts/limits';

export const INTRODUCTION = `Errors are RFC 9457 problem details; branch on \`code\`, which never changes. \`detail\` and the messages
of fields follow \`Accept-Language\` (\`en\`, \`am\`). Unknown fields of a body are refused. A path that does not exist is answered
with 404, a method that it does not have with 405 and \`Allow\`. A request that is not HTTP is answered with 400, 408 or 431
before it reaches any operation.

Whatever changes something may be sent with an \`Idempotency-Key\` (draft-ietf-httpapi-idempotency-key), so that it can be
repeated when its answer was lost. Make a new key, such as a random UUID, for each act, and keep it secret as you keep a
password: with the same body it gives the same answer. For 24 hours a repetition by the same caller on the same path gets the
first answer, with \`Idempotency-Replayed: true\`; with another body it gets 422 \`idempotency_key_reused\`, while the first
is being worked on 409 \`idempotency_in_flight\`. Answers that ask to try again (5xx, 429 and whatever has \`Retry-After\`) and
those given before a request is begun (401 \`invalid_token\` and \`reauthentication_required\`, 403 \`step_up_required\`,
\`validation_failed\` of the form) are not remembered. The
language of a problem's texts, its \`requestId\` and \`instance\` are those of each repetition.

Every operation has a limit: its class and quotas are in \`x-rate-limit\`, as they were configured when this process was
started. What is in force and what is left of it is in \`RateLimit-Policy\` and \`RateLimit\` of every answer; beyond it the
answer is 429 with \`Retry-After\`. The largest body of an operation is in \`x-max-body-bytes\`.`;

export const INFO = {
  contact: { name: 'Meqenet Auth', url: 'https://meqenet.et' },
  license: { name: 'Proprietary: all rights reserved', identifier: 'LicenseRef-Proprietary' },
} as const;

/** What each tag holds together. */
export const TAGS: Readonly<Record<string, string>> = {
  Registration: 'From an e-mail address to an account, step by step and durable',
  Passwords: 'Forgotten, reset and changed',
  Sessions: 'Login, refresh, logout, and the keys that access tokens are verified with',
  'Second factors': 'Authenticator apps, codes by mail and SMS, recovery codes, remembered devices',
  Passkeys: 'WebAuthn level 3: registration, login and step-up',
  'Account recovery': 'The way back after every second factor is lost',
  Users: 'The own account: profile, contacts, consents, export and erasure',
  Administration:
    'What staff does with accounts of others; each operation needs a permission, and is in the audit trail',
  Operations: 'For whoever runs the service',
  Codec: 'Payloads of Temporal, for its UI',
};

export const BEARER: oas31.SecuritySchemeObject = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: `The \`accessToken\` of a login (RFC 9068, ES256), for 15 minutes unless configured otherwise; whoever gets one can verify it
with the keys of \`/.well-known/jwks.json\`. It stops working at once when its session ends.

Some operations need more than a token. \`x-permission\`: the caller's roles must give it, \`forbidden\` else.
\`x-assurance\`: a second factor must have been shown within \`maxAge\` seconds, so that the token has that \`acr\`: answer
\`step_up_required\` by \`/v1/auth/step-up\`, or a passkey. \`x-high-risk\`: waits after a change of the phone, \`cooling_off\` until
then. Who has a role that needs a second factor and has none gets \`mfa_enrollment_required\` wherever \`x-during-enrollment\` is
not set.`,
};

const header = (description: string, example: string): oas31.HeaderObject => ({
  description,
  schema: { type: 'string' },
  example,
});
export const HEADERS: Readonly<Record<string, oas31.HeaderObject>> = {
  requestId: header(
    'Id of the request: the one sent in X-Request-Id, or a new one',
    '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11',
  ),
  retryAfter: {
    description: 'Seconds to wait before the next try',
    schema: { type: 'integer', minimum: 0 },
    example: 30,
  },
  authenticate: header('RFC 6750', 'Bearer error="invalid_token"'),
  replayed: header('`true` where this is the first answer to an earlier request with the same Idempotency-Key', 'true'),
  rateLimitPolicy: header(
    'Limit in force (draft-ietf-httpapi-ratelimit-headers): requests (q) in a window of seconds (w)',
    '"address";q=300;w=60',
  ),
  rateLimit: header('What is left of it: requests (r), and seconds until it starts anew (t)', '"address";r=299;t=60'),
};

const parameter = (name: string, description: string, example: string): oas31.ParameterObject => ({
  ...{ in: 'header', name, description, example },
  schema: { type: 'string' },
});
/** Headers that may be sent with requests. What does not have the form is as if it were not sent. */
export const PARAMETERS: Readonly<Record<string, oas31.ParameterObject>> = {
  acceptLanguage: parameter('Accept-Language', 'Of texts for people: `en` (default) or `am`', 'am'),
  requestId: parameter(
    'X-Request-Id',
    'Taken over into answer and logs where it has 8 to 64 letters, digits, `.`, `_` or `-`; a new one else',
    '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11',
  ),
};

/** What a request is counted by, in words. */
export const DIMENSIONS = {
  caller: 'caller',
  account: 'account that the body names',
  address: 'address',
  range: 'range of addresses (IPv4 /24, IPv6 /64)',
} as const;

export const LIMIT_CLASS_TEXTS: Readonly<Record<LimitClass, string>> = {
  credentials: 'whatever a guess could get past',
  registration: 'registrations, and mails that anyone can cause',
  session: 'what goes on with a session or changes the own account',
  read: 'what changes nothing',
  admin: 'administrative acts',
};
