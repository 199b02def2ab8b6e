import { randomUUID } from 'node:crypto';

import { expect } from '@jest/globals';

import { eventually } from './eventually';
import type { Answer, HttpClient, RequestOptions } from './http-client';
import type { TestService } from './service';

export const newKey = (): string => randomUUID();

/** A POST under an Idempotency-Key. */
export const postWithKey = (
  http: HttpClient,
  path: string,
  key: string,
  body?: unknown,
  { headers, ...options }: RequestOptions = {},
): Promise<Answer> => http.post(path, body, { ...options, headers: { 'idempotency-key': key, ...headers } });

export const isReplayed = ({ headers }: Answer): boolean => headers.get('idempotency-replayed') === 'true';

/** A problem without what each answer has of its own. */
export const contentOf = ({ body }: Answer): unknown => {
  if (typeof body !== 'object' || body === null) return body;
  const { requestId: _, ...content } = body as Record<string, unknown>;
  return content;
};

export const expectReplayOf = (first: Answer, again: Answer): void => {
  expect({ status: again.status, content: contentOf(again) }).toEqual({
    status: first.status,
    content: contentOf(first),
  });
  expect([isReplayed(first), isReplayed(again)]).toEqual([false, true]);
};

/** Repeats a request, as a client does whose answer was lost, until it is told the outcome. @returns also how often it had to wait */
export const repeatUntilDone = async (
  send: () => Promise<Answer>,
  timeoutMs: number,
): Promise<{ answer: Answer; waits: number }> => {
  let waits = 0;
  const answer = await eventually(
    'the outcome of a repeated request',
    async () => {
      const one = await send();
      if (one.body?.code === 'idempotency_in_flight') {
        expect(one.status).toBe(409);
        expect(Number(one.headers.get('retry-after'))).toBeGreaterThan(0);
        waits += 1;
        return undefined;
      }
      return one.status !== 503 && one;
    },
    timeoutMs,
  );
  return { answer, waits };
};

export const countSessions = async ({ database }: TestService, user?: { userId: string }): Promise<number> => {
  const { rows } = await database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM sessions WHERE $1::uuid IS NULL OR user_id = $1::uuid',
    [user?.userId ?? null],
  );
  return rows[0]?.count ?? -1;
};
