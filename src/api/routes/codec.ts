import type { NewAuditEvent } from '../../contracts/audit';
import {
  DECODE_ASSURANCE,
  type JsonPayloads,
  MAX_DECODE_BYTES,
  namespaceSchema,
  payloadsBody,
} from '../../contracts/codec';
import { AppError } from '../../contracts/errors';
import { originOf } from '../origin';
import { defineRoute, type Route } from '../route';

const TAGS = ['Codec'];

interface Dependencies {
  /** @throws {AppError} `payload_not_decodable` */
  readonly decode: (payloads: JsonPayloads) => Promise<JsonPayloads>;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
}

/**
 * The remote codec of the Temporal UI. Who decoded how much is recorded before anything is told; what cannot be recorded is
 * not told.
 */
export const codecRoutes = ({ decode, recordAudit }: Dependencies): Route[] => [
  defineRoute({
    method: 'post',
    path: '/decode',
    operationId: 'decodePayloads',
    summary: 'Decode payloads of Temporal',
    tags: TAGS,
    auth: 'bearer',
    permission: 'workflows:decode',
    assurance: DECODE_ASSURANCE,
    limit: 'read',
    maxBodyBytes: MAX_DECODE_BYTES,
    body: payloadsBody,
    responses: { 200: { description: 'In the same order', schema: payloadsBody } },
    errors: ['payload_not_decodable', 'service_unavailable'],
    handler: async (request) => {
      const { caller, body, headers } = request;
      const namespace = namespaceSchema.safeParse(headers.namespace);
      if (!namespace.success) throw new AppError('validation_failed', { detail: 'X-Namespace names the namespace' });
      const payloads = await decode(body.payloads);
      await recordAudit({
        action: 'workflow.decoded',
        actor: { kind: 'user', id: caller.userId },
        origin: originOf(request),
        details: { namespace: namespace.data, payloads: payloads.length },
      });
      return { status: 200, body: { payloads } };
    },
  }),
  /** The door turns the token of this request into a cookie, which the UI's requests carry. */
  defineRoute({
    method: 'post',
    path: '/session',
    operationId: 'openCodecSession',
    summary: 'Let the Temporal UI of this browser decode',
    tags: TAGS,
    auth: 'bearer',
    permission: 'workflows:decode',
    assurance: DECODE_ASSURANCE,
    responses: { 204: { description: 'The cookie is set' } },
    errors: ['service_unavailable'],
    handler: () => Promise.resolve({ status: 204 as const }),
  }),
  defineRoute({
    method: 'delete',
    path: '/session',
    operationId: 'closeCodecSession',
    summary: 'Let the Temporal UI of this browser decode no more',
    tags: TAGS,
    auth: 'none',
    limit: 'session',
    responses: { 204: { description: 'The cookie is gone' } },
    errors: [],
    handler: () => Promise.resolve({ status: 204 as const }),
  }),
];
