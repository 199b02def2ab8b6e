import { z } from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiResponseObject } from 'zod-openapi';

import { type ErrorCode, ERRORS } from '../contracts/errors';
import { IDEMPOTENCY_KEY_PATTERN } from '../contracts/idempotency';
import type { LimitClass, LimitPolicy } from '../contracts/limits';
import { commonErrors } from './common-errors';
import { limitClassOf } from './limit-class';
import { DIMENSIONS, LIMIT_CLASS_TEXTS } from './openapi-texts';
import { PROBLEM_TYPE, problemSchema } from './problem';
import { isWrite, type ResponseSpec, type Route } from './route';

/** What is the same for all operations of one document. */
export interface OperationContext {
  /** Problems that the interceptors can answer on any route. */
  readonly interceptorErrors?: readonly ErrorCode[];
  /** Quotas by class. */
  readonly limits?: Readonly<Record<LimitClass, LimitPolicy>>;
  /** Largest body of a route that declares no other, bytes. */
  readonly maxBodyBytes?: number;
}

const headerRef = (name: string) => ({ $ref: `#/components/headers/${name}` as const });
const parameterRef = (name: string) => ({ $ref: `#/components/parameters/${name}` as const });
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
    ...Object.fromEntries(
      Object.entries(spec.headers ?? {}).map(([name, description]) => [
        name,
        { description, schema: { type: 'string' } },
      ]),
    ),
  },
  ...(spec.schema !== undefined && { content: { [spec.contentType ?? 'application/json']: { schema: spec.schema } } }),
});

const exampleRef = (code: ErrorCode) => ({ $ref: `#/components/examples/${code}` as const });

/** One for each code, to be referred to: written out with every answer they would be most of the document. */
export const problemExamples = (codes: readonly ErrorCode[]) =>
  Object.fromEntries(
    codes.map((code) => [
      code,
      {
        summary: ERRORS[code].title,
        value: {
          type: `urn:meqenet:problem:${code}`,
          title: ERRORS[code].title,
          status: ERRORS[code].status,
          detail: ERRORS[code].title,
          instance: '/v1/auth/login',
          code,
          requestId: '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11',
          ...(code === 'validation_failed' && {
            errors: [{ path: '/email', code: 'invalid_format', message: 'Invalid email address' }],
          }),
        },
      },
    ]),
  );

/** `:name` as OpenAPI writes it. */
export const templated = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}');

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
      examples: Object.fromEntries(codes.map((code) => [code, exampleRef(code)])),
    },
  },
});

/** Every problem that a route can answer. */
export const errorCodes = (route: Route, interceptorErrors: readonly ErrorCode[] = []): readonly ErrorCode[] => [
  ...new Set([...route.errors, ...interceptorErrors, ...commonErrors(route)]),
];

const answers = (route: Route, codes: readonly ErrorCode[]): Record<string, ZodOpenApiResponseObject> => {
  const byStatus: Record<string, ZodOpenApiResponseObject> = {};
  for (const [status, spec] of Object.entries(route.responses)) byStatus[status] = successAnswer(route, spec);
  for (const status of new Set(codes.map((code) => ERRORS[code].status))) {
    const group = codes.filter((code) => ERRORS[code].status === status);
    const problem = problemAnswer(route, status, group);
    const success = byStatus[status];
    byStatus[status] =
      success === undefined ? problem : { ...problem, ...success, content: { ...success.content, ...problem.content } };
  }
  return byStatus;
};

const window = (seconds: number): string => (seconds === 60 ? 'a minute' : `in ${String(seconds)} seconds`);

/** What the operation is limited as, in words and for programs. */
const describeLimit = (route: Route, limits: OperationContext['limits']) => {
  const limitClass = limitClassOf(route);
  if (limitClass === 'none') return { text: 'Not limited.', extension: undefined };
  const { windowSeconds, ...quotas } = limits?.[limitClass] ?? {};
  const parts = Object.entries(quotas as Record<keyof typeof DIMENSIONS, number>).map(
    ([dimension, quota]) => `${String(quota)} for each ${DIMENSIONS[dimension as keyof typeof DIMENSIONS]}`,
  );
  const numbers = windowSeconds === undefined ? '' : `: ${window(windowSeconds)} ${parts.join(', ')}`;
  return {
    text: `Limit \`${limitClass}\` (${LIMIT_CLASS_TEXTS[limitClass]})${numbers}.`,
    extension: { class: limitClass, ...(windowSeconds !== undefined && { windowSeconds, quotas }) },
  };
};

const needs = ({ permission, assurance, duringEnrollment, highRisk }: Route): readonly string[] => [
  ...(permission === undefined ? [] : [`Needs the permission \`${permission}\`.`]),
  ...(assurance === undefined
    ? []
    : [
        `Needs a second factor (\`acr\` ${assurance.acr}) that was shown in the last ${String(assurance.maxAgeMs / 60_000)} minutes: ` +
          '`step_up_required` else.',
      ]),
  ...(duringEnrollment === true ? ['Also for those who must set a second factor up first.'] : []),
  ...(highRisk === true ? ['High-risk: waits after a change of the phone (`cooling_off`).'] : []),
];

/**
 * The description, and what the caller must be allowed, for people and (`x-permission`, `x-assurance`, `x-during-enrollment`,
 * `x-high-risk`, `x-rate-limit`) for programs.
 */
const describe = (route: Route, limits: OperationContext['limits']) => {
  const { description, summary, permission, assurance, duringEnrollment, highRisk } = route;
  const limit = describeLimit(route, limits);
  return {
    description: [description ?? `${summary}.`, ...needs(route), limit.text].join(' '),
    ...(permission !== undefined && { 'x-permission': permission }),
    ...(assurance !== undefined && {
      'x-assurance': { acr: assurance.acr, maxAge: Math.floor(assurance.maxAgeMs / 1_000) },
    }),
    ...(duringEnrollment === true && { 'x-during-enrollment': true }),
    ...(highRisk === true && { 'x-high-risk': true }),
    ...(limit.extension !== undefined && { 'x-rate-limit': limit.extension }),
  };
};

const requestBody = (route: Route, maxBodyBytes: number | undefined) => {
  if (route.body === undefined) return {};
  const bytes = route.maxBodyBytes ?? maxBodyBytes;
  return {
    requestBody: {
      required: true,
      ...(bytes !== undefined && { description: `At most ${String(bytes)} bytes: \`payload_too_large\` else` }),
      content: { 'application/json': { schema: route.body } },
    },
    ...(bytes !== undefined && { 'x-max-body-bytes': bytes }),
  };
};

const headersOf = ({ headers, ...route }: Route) => {
  if (!isWrite(route)) return headers;
  return headers === undefined ? idempotencyKey : idempotencyKey.extend(headers.shape);
};

export const operation = (route: Route, context: OperationContext): ZodOpenApiOperationObject => ({
  operationId: route.operationId,
  summary: route.summary,
  ...describe(route, context.limits),
  tags: [...route.tags],
  security: route.auth === 'bearer' ? [{ bearer: [] }] : [],
  requestParams: {
    ...(route.params !== undefined && { path: route.params }),
    ...(route.query !== undefined && { query: route.query }),
    ...(headersOf(route) !== undefined && { header: headersOf(route) }),
  },
  parameters: [parameterRef('acceptLanguage'), parameterRef('requestId')],
  ...requestBody(route, context.maxBodyBytes),
  responses: answers(route, errorCodes(route, context.interceptorErrors)),
});
