import { setTimeout as sleep } from 'node:timers/promises';

import {
  type Client,
  isGrpcDeadlineError,
  isGrpcServiceError,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import type { SignalDefinition } from '@temporalio/common';

import { AppError } from '../contracts/errors';

import { askRunningOrNew } from './update-with-start';

export interface Timeouts {
  readonly rpcTimeoutMs: number;
  readonly updateTimeoutMs: number;
}

/** Temporal is away, or has no worker to answer an update: nothing is lost, the caller may try again. */
const isUnavailable = (error: unknown): boolean =>
  error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
  error instanceof ServiceError ||
  isGrpcServiceError(error) ||
  isGrpcDeadlineError(error);

/** How long a worker has to begin its task anew. */
const NOT_READY_PAUSE_MS = 50;
/** `FAILED_PRECONDITION` of gRPC. */
const NOT_READY = 9;

/**
 * The workflow was in the middle of a task that did not count: something happened to it meanwhile, which the task did not know of
 * (`UnhandledCommand`), as where it was about to end. An update that came with such a task was not taken (`WorkflowNotReadyFailure`).
 */
const isNotReady = (error: unknown): boolean =>
  error instanceof Error &&
  ((isGrpcServiceError(error) && (error.code as number) === NOT_READY) || isNotReady(error.cause));

/** Within the deadline of the call, which ends it. */
const untilReady = async <T>(work: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isNotReady(error)) throw error;
      await sleep(NOT_READY_PAUSE_MS);
    }
  }
};

/** How the request path asks Temporal. Each way throws {AppError} `service_unavailable` when it does not answer in time. */
export const createCalls = (client: Client, { rpcTimeoutMs, updateTimeoutMs }: Timeouts) => {
  const call = async <T>(timeoutMs: number, work: () => Promise<T>): Promise<T> => {
    try {
      return await client.withDeadline(Date.now() + timeoutMs, work);
    } catch (error) {
      if (isUnavailable(error)) throw new AppError('service_unavailable', { retryAfterSeconds: 5, cause: error });
      throw error;
    }
  };
  /** @returns undefined where there is no such workflow, or none that runs */
  const ifRunning = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  };

  return {
    client,
    /** What Temporal answers itself. */
    ask: <T>(work: () => Promise<T>): Promise<T> => call(rpcTimeoutMs, work),
    /** What the workflow answers that runs under an id, or a new one: see {@link askRunningOrNew}. */
    askRunningOrNew: <T extends object>(ask: (before: number) => Promise<T>) =>
      call(updateTimeoutMs, () => askRunningOrNew((before) => untilReady(() => ask(before)))),
    /** What a worker answers, of a workflow that runs. @returns undefined where there is no such workflow, or none that runs */
    update: <T>(work: () => Promise<T>): Promise<T | undefined> =>
      ifRunning(call(updateTimeoutMs, () => untilReady(work))),
    /** Nothing where none runs. */
    wake: async (workflowId: string, signal: SignalDefinition): Promise<void> => {
      await ifRunning(call(rpcTimeoutMs, () => client.workflow.getHandle(workflowId).signal(signal)));
    },
  };
};
export type Calls = ReturnType<typeof createCalls>;
