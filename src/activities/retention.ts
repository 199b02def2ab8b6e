import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

import {
  isRetentionPolicy,
  RETENTION_POLICIES,
  type RetentionPeriods,
  type RetentionPolicyName,
} from '../contracts/retention';
import type { RetentionResult, RetentionStep } from '../contracts/retention-workflow';
import type { RetentionRepository } from '../repositories/retention-repository';

/** Rows in one statement: some milliseconds of locks. */
const BATCH_SIZE = 1_000;
/** Between two batches, so that whoever waits for the database is not kept waiting. */
const PAUSE_MS = 50;

interface RetentionRecord {
  readonly workflowId: string;
  /** Of the run, Unix milliseconds. */
  readonly startedAt: number;
  readonly result: RetentionResult;
}

interface Dependencies {
  readonly retention: RetentionRepository;
  readonly periods: RetentionPeriods;
  /** Told of what went. */
  readonly count: (policy: RetentionPolicyName, rows: number) => void;
}

/** The steps of a run of the retention. Each may run twice without harm: what is gone is gone. */
export const createRetentionActivities = ({ retention, periods, count }: Dependencies) => ({
  /** What there is to do, for a workflow that must not depend on the list of today. */
  listRetentionSteps: (): Promise<RetentionStep[]> =>
    Promise.resolve(Object.entries(RETENTION_POLICIES).map(([policy, { summary }]) => ({ policy, summary }))),

  /**
   * Drops all that is over by one policy, in batches, with a heartbeat after each: a run that is killed goes on where it was.
   *
   * @returns how many rows went, over all attempts
   */
  async applyRetention({ policy }: Pick<RetentionStep, 'policy'>): Promise<{ rows: number }> {
    // Of a newer version: this one knows nothing of it, another worker does.
    if (!isRetentionPolicy(policy))
      throw ApplicationFailure.retryable('There is no such policy here', 'UNKNOWN_POLICY');
    const { info, heartbeat, sleep } = contextOf();
    let rows = typeof info.heartbeatDetails === 'number' ? info.heartbeatDetails : 0;
    const before = new Date(Date.now() - periods[RETENTION_POLICIES[policy].period]);
    for (;;) {
      const done = await retention.apply(policy, before, BATCH_SIZE);
      count(policy, done);
      rows += done;
      heartbeat(rows);
      if (done < BATCH_SIZE) return { rows };
      // Rejects when the run is cancelled.
      await sleep(PAUSE_MS);
    }
  },

  recordRetention: ({ workflowId, startedAt, result }: RetentionRecord): Promise<void> =>
    retention.record({ workflowId, startedAt: new Date(startedAt) }, result),
});
export type RetentionActivities = ReturnType<typeof createRetentionActivities>;

const contextOf = () => {
  const context = Context.current();
  return {
    info: context.info,
    heartbeat: (details: unknown) => {
      context.heartbeat(details);
    },
    sleep: (milliseconds: number) => context.sleep(milliseconds),
  };
};
