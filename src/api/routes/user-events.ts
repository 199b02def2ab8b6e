import { z } from 'zod';

import { STREAM_ID_PATTERN } from '../../contracts/revocation';
import { USER_EVENT_TYPES } from '../../contracts/user-event';
import type { EventStreams } from '../event-streams';
import { defineRoute, type Route } from '../route';

/** One event, as OpenAPI 3.2 describes streams (`itemSchema`); OpenAPI 3.1 has no word for it, and tools take `schema` as this. */
const eventSchema = z
  .object({
    event: z.enum([...USER_EVENT_TYPES, 'resync']).meta({ description: 'Its type; there may be more one day' }),
    data: z.string().meta({ description: 'JSON' }),
    id: z.string().optional().meta({
      description: 'For `Last-Event-ID`; the stream begins with one, so that there is always a place to resume after',
    }),
    retry: z.int().optional().meta({ description: 'Milliseconds until a client should connect again' }),
  })
  .meta({
    description: 'Each event of the stream',
    example: {
      id: '1042-1',
      event: 'session.ended',
      data: '{"type":"session.ended","occurredAt":"2026-11-26T09:30:00.000Z","sessionId":"019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a12","reason":"LOGOUT"}',
    },
  });

export const userEventRoutes = (streams: Pick<EventStreams, 'open'>): Route[] => [
  defineRoute({
    method: 'get',
    path: '/v1/users/me/events',
    operationId: 'watchEvents',
    summary: 'What happens to the own account, as it happens',
    description:
      'Server-sent events: `event` is the type, `data` a JSON object with `type` and `occurredAt`, and where there is one `sessionId`, ' +
      `\`reason\`, \`factorId\`. Types: ${USER_EVENT_TYPES.map((type) => `\`${type}\``).join(', ')}; there may be more one day. ` +
      'The stream begins with an `id` alone. After a lost connection the header `Last-Event-ID` brings what was missed, of up to a week; where that cannot be had any ' +
      'more, the first event is `resync`: read the state anew. An event may come twice, with another id. Comments come every 15 ' +
      'seconds. The stream ends with the session and when the access token expires: connect again with a new one. Browsers send the ' +
      'token with `fetch`, since `EventSource` has no headers. A person may have 10 streams at each process.',
    tags: ['Users'],
    auth: 'bearer',
    limit: 'read',
    headers: z.object({
      'Last-Event-ID': z
        .string()
        .regex(STREAM_ID_PATTERN)
        .optional()
        .meta({ description: 'The id of the last event that was seen', example: '1042-1' }),
    }),
    responses: {
      200: {
        description: 'The events, for as long as the client stays',
        contentType: 'text/event-stream',
        stream: true,
        schema: eventSchema,
      },
    },
    errors: ['validation_failed', 'rate_limited', 'overloaded', 'service_unavailable'],
    handler: async ({ caller, headers }) => ({ status: 200, stream: await streams.open(caller, headers.lastEventId) }),
  }),
];
