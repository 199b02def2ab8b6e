import { expect } from '@jest/globals';

import type { Answer } from './http-client';

/** What must never leave: frames, files, modules, queries and names of the parts inside. */
const INTERNAL = /\bat .+:\d+:\d+|node_modules|\.[jt]s\b|prisma|postgres|temporal|valkey|redis|\bSELECT\b|\bError:/i;

interface ExpectedProblem {
  readonly status: number;
  readonly code: string;
}

/**
 * An answer of the contract (RFC 9457), that says nothing of the inside and repeats nothing of what was sent.
 *
 * @param sent texts of the request that must not come back
 */
export const expectProblem = (
  answer: Answer,
  { status, code }: ExpectedProblem,
  sent: readonly string[] = [],
): void => {
  expect({ status: answer.status, code: answer.body?.code }).toEqual({ status, code });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.body).toEqual({
    type: `urn:meqenet:problem:${code}`,
    title: expect.stringMatching(/./),
    status,
    detail: expect.stringMatching(/./),
    instance: expect.stringMatching(/^[/*]/),
    code,
    requestId: answer.headers.get('x-request-id'),
    ...(code === 'validation_failed' && { errors: expect.any(Array) }),
  });
  expect(answer.body.requestId).toMatch(/^[A-Za-z0-9._-]{8,64}$/);
  const { instance: _, ...said } = answer.body as Record<string, unknown>;
  const text = JSON.stringify(said);
  expect(text).not.toMatch(INTERNAL);
  for (const value of sent) expect(text).not.toContain(value);
};

/** The fields that an answer complains about. */
export const complaints = ({ body }: Answer): string[] =>
  ((body.errors ?? []) as { path: string; code: string; message: string }[]).map(({ path, code, message }) => {
    expect(code).toMatch(/^[a-z_]+$/);
    expect(message).toMatch(/./);
    return path;
  });
