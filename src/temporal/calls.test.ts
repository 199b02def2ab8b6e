import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { type Client, ServiceError } from '@temporalio/client';

import { createCalls } from './calls';

/** As the server refuses an update whose workflow task failed meanwhile. */
const refusal = (code: status) =>
  Object.assign(new Error('9 FAILED_PRECONDITION'), { code, details: 'not executed', metadata: new Metadata() });
const notReady = refusal(status.FAILED_PRECONDITION);

const client = { withDeadline: (_: number, work: () => Promise<unknown>) => work() } as unknown as Client;
const calls = createCalls(client, { rpcTimeoutMs: 1_000, updateTimeoutMs: 1_000 });

const answering = (...answers: (Error | object)[]) => {
  const asked: number[] = [];
  const ask = (before = 0): Promise<object> => {
    const answer = answers[asked.length];
    asked.push(before);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? {});
  };
  return { ask, asked };
};

describe('a workflow whose task did not count', () => {
  it.each([
    ['as gRPC says it', notReady],
    ['as the client wraps it', new ServiceError('Update-With-Start failed', { cause: notReady })],
  ])('is asked again, %s: the same question', async (_, error) => {
    const { ask, asked } = answering(error, error, { outcome: 'open' });
    expect(await calls.askRunningOrNew(ask)).toEqual({ outcome: 'open' });
    expect(asked).toEqual([0, 0, 0]);
    expect(await calls.update(answering(error, { outcome: 'done' }).ask)).toEqual({ outcome: 'done' });
  });

  it('is told from a server that is away', async () => {
    const { ask, asked } = answering(refusal(status.UNAVAILABLE), { outcome: 'open' });
    await expect(calls.update(ask)).rejects.toMatchObject({ code: 'service_unavailable' });
    expect(asked).toHaveLength(1);
  });
});
