import { z } from 'zod';
import type { oas31, ZodOpenApiOperationObject, ZodOpenApiResponseObject } from 'zod-openapi';

import { type ErrorCode, ERRORS } from '../contracts/errors';
import { IDEMPOTENCY_KEY_PATTERN } from '../contracts/idempotency';
import { commonErrors } from './common-errors';
import { limitClassOf } from './limit-class';
import { PROBLEM_TYPE, problemSchema } from './problem';
import { isWrite, type ResponseSpec, type Route } from './route';

export interface DocumentInfo {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
  /** Where the service is reached; the document's own origin stands first in any case. */
  readonly publicUrl?: string;
  /** Problems that the interceptors can answer on any route. */
  readonly interceptorErrors?: readonly ErrorCode[];
}

const INTRODUCTION = `Errors are RFC 9457 problem details; branch on \`code\`, which never changes. \`detail\` and the messages
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
language of a problem's texts, its \`requestId\` and \`instance\` are those of each repetition.`;

const header = (description: string): oas31.HeaderObject => ({ description, schema: { type: 'string' } });
const HEADERS: Record<string, oas31.HeaderObject> = {
  requestId: header('Id of the request: the one sent in X-Request-Id, or a new one'),
  retryAfter: header('Seconds to wait before the next try'),
  authenticate: header('RFC 6750'),
  replayed: header('`true` where this is the first answer to an earlier request with the same Idempotency-Key'),
  rateLimitPolicy: header(
    'Limit in force (draft-ietf-httpapi-ratelimit-headers): requests (q) in a window of seconds (w)',
  ),
  rateLimit: header('What is left of it: requests (r), and seconds until it starts anew (t)'),
};
const headerRef = (name: string) => ({ $ref: `#/components/headers/${name}` as const });
/** On every answer of a limited route that got as far as being counted. */
const limitHeaders = (route: Route) =>
  limitClassOf(route) === 'none'
    ? {}
    : { RateLimit: headerRef('rateLimit'), 'RateLimit-Policy': headerRef('rateLimitPolicy') };

const idempotencyKey = z.object({
  'Idempotency-Key': z.string().regex(IDEMPOTENCY_KEY_PATTERN).optional().meta({
    description: 'New for each act, the same when it is repeated',
    example: '8e03978e-40d5-43dd-bc93-6894a57f9324',
  }),
});

const successAnswer = (route: Route, spec: ResponseSpec): ZodOpenApiResponseObject => ({
  description: spec.description,
  headers: {
    'X-Request-Id': headerRef('requestId'),
    ...limitHeaders(route),
    ...(isWrite(route) && { 'Idempotency-Replayed': headerRef('replayed') }),
    ...Object.fromEntries(Object.entries(spec.headers ?? {}).map(([name, text]) => [name, header(text)])),
  },
  ...(spec.schema !== undefined && { content: { [spec.contentType ?? 'application/json']: { schema: spec.schema } } }),
});

const problemExample = (code: ErrorCode, path: string) => ({
  summary: ERRORS[code].title,
  value: {
    type: `urn:meqenet:problem:${code}`,
    title: ERRORS[code].title,
    status: ERRORS[code].status,
    detail: ERRORS[code].title,
    instance: path,
    code,
    requestId: '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11',
    ...(code === 'validation_failed' && {
      errors: [{ path: '/email', code: 'invalid_format', message: 'Invalid email address' }],
    }),
  },
});

/** `:name` as OpenAPI writes it. */
const templated = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}');

/** The problem answer of one status, with an example for each of its codes. */
const problemAnswer = (route: Route, status: number, codes: readonly ErrorCode[]): ZodOpenApiResponseObject => ({
  description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('. '),
  headers: {
    'X-Request-Id': headerRef('requestId'),
    ...limitHeaders(route),
    ...((status === 429 ||
      status === 503 ||
      codes.some((code) => code === 'idempotency_in_flight' || code === 'cooling_off')) && {
      'Retry-After': headerRef('retryAfter'),
    }),
    ...(isWrite(route) && status < 429 && { 'Idempotency-Replayed': headerRef('replayed') }),
    ...((codes.includes('invalid_token') || codes.includes('step_up_required')) && {
      'WWW-Authenticate': headerRef('authenticate'),
    }),
  },
  content: {
    [PROBLEM_TYPE]: {
      schema: problemSchema,
      examples: Object.fromEntries(codes.map((code) => [code, problemExample(code, templated(route.path))])),
    },
  },
});

const answers = (route: Route, interceptorErrors: readonly ErrorCode[]): Record<string, ZodOpenApiResponseObject> => {
  const byStatus: Record<string, ZodOpenApiResponseObject> = {};
  for (const [status, spec] of Object.entries(route.responses)) byStatus[status] = successAnswer(route, spec);
  const codes = [...new Set([...route.errors, ...interceptorErrors, ...commonErrors(route)])];
  for (const status of new Set(codes.map((code) => ERRORS[code].status))) {
    const group = codes.filter((code) => ERRORS[code].status === status);
    const problem = problemAnswer(route, status, group);
    const success = byStatus[status];
    byStatus[status] =
      success === undefined ? problem : { ...problem, ...success, content: { ...success.content, ...problem.content } };
  }
  return byStatus;
};

/** The description, and what the caller must be allowed, for people and (`x-permission`, `x-assurance`, `x-during-enrollment`, `x-high-risk`) for programs. */
const describe = ({ description, permission, assurance, duringEnrollment, highRisk }: Route) => {
  const needs = permission === undefined ? [] : [`Needs the permission \`${permission}\`.`];
  const steps =
    assurance === undefined
      ? []
      : [
          `Needs a second factor (\`acr\` ${assurance.acr}) that was shown in the last ${String(assurance.maxAgeMs / 60_000)} minutes: ` +
            '`step_up_required` else.',
        ];
  const waits = highRisk === true ? ['High-risk: waits after a change of the phone (`cooling_off`).'] : [];
  const enrolls = duringEnrollment === true ? ['Also for those who must set a second factor up first.'] : [];
  const sentences = [description, ...needs, ...steps, ...enrolls, ...waits].filter(
    (sentence) => sentence !== undefined,
  );
  return {
    ...(sentences.length > 0 && { description: sentences.join(' ') }),
    ...(permission !== undefined && { 'x-permission': permission }),
    ...(assurance !== undefined && {
      'x-assurance': { acr: assurance.acr, maxAge: Math.floor(assurance.maxAgeMs / 1_000) },
    }),
    ...(duringEnrollment === true && { 'x-during-enrollment': true }),
    ...(highRisk === true && { 'x-high-risk': true }),
  };
};

const operation = (route: Route, interceptorErrors: readonly ErrorCode[]): ZodOpenApiOperationObject => ({
  operationId: route.operationId,
  summary: route.summary,
  ...describe(route),
  tags: [...route.tags],
  security: route.auth === 'bearer' ? [{ bearer: [] }] : [],
  ...((route.params !== undefined || route.query !== undefined || isWrite(route)) && {
    requestParams: {
      ...(route.params !== undefined && { path: route.params }),
      ...(route.query !== undefined && { query: route.query }),
      ...(isWrite(route) && { header: idempotencyKey }),
    },
  }),
  ...(route.body !== undefined && {
    requestBody: { required: true, content: { 'application/json': { schema: route.body } } },
  }),
  responses: answers(route, interceptorErrors),
});

/** The OpenAPI 3.1 document of the routes: made from the very declarations that validate and filter. */
export const createOpenApiDocument = async (routes: readonly Route[], info: DocumentInfo) => {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    (paths[templated(route.path)] ??= {})[route.method] = operation(route, info.interceptorErrors ?? []);
  }
  const tags = [...new Set(routes.flatMap((route) => route.tags))].map((name) => ({ name }));
  // Loaded when somebody asks for the document: it is a tenth of the start of a process.
  const { createDocument } = await import('zod-openapi');
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: info.title,
      version: info.version,
      description: [info.description, INTRODUCTION].filter((text) => text !== undefined).join('\n\n'),
    },
    servers: [{ url: '/' }, ...(info.publicUrl === undefined ? [] : [{ url: info.publicUrl }])],
    tags,
    paths,
    components: {
      headers: HEADERS,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  });
};
