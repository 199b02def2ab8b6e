import { setTimeout as sleep } from 'node:timers/promises';

import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';

import { DATA_KEY_ROTATION, type DataKeyRotationInput } from '../contracts/data-key-workflow';
import { NOTICE_SWEEP } from '../contracts/notice-workflow';
import { RETENTION } from '../contracts/retention-workflow';
import { SIGNING_KEY_ROTATION } from '../contracts/signing-key-workflow';
import { TASK_QUEUES } from '../contracts/task-queues';

/** A workflow that starts at regular intervals, never beside itself. */
export interface RecurringWorkflow {
  readonly names: { readonly workflowType: string; readonly workflowId: string; readonly scheduleId: string };
  /** Milliseconds between two starts. */
  readonly everyMs: number;
  /** A start that was missed in an outage of Temporal is made up for within this time, milliseconds. */
  readonly catchupWindowMs: number;
  readonly summary: string;
  readonly details: string;
}

/** @param everyMs milliseconds between two rotations */
export const rotationSchedule = (everyMs: number): RecurringWorkflow => ({
  names: SIGNING_KEY_ROTATION,
  everyMs,
  catchupWindowMs: 24 * 60 * 60 * 1_000,
  summary: 'A new key comes to sign access tokens',
  details:
    'Steps: make a key and publish it, wait until every client can know it, sign with it, and remove the old key when its ' +
    'last token has ended.',
});

/** @param everyMs milliseconds between two looks at the age of the keys */
export const dataKeyRotationSchedule = (everyMs: number): RecurringWorkflow => ({
  names: DATA_KEY_ROTATION,
  everyMs,
  catchupWindowMs: 24 * 60 * 60 * 1_000,
  summary: 'Data keys whose time is up are replaced',
  details:
    'Steps: encrypt under new keys, encrypt what is stored under them, wait until every process knows them, encrypt what ' +
    'was written meanwhile, and put the old keys away that nothing uses.',
});

/** @param everyMs milliseconds between two sweeps */
export const noticeSweepSchedule = (everyMs: number): RecurringWorkflow => ({
  names: NOTICE_SWEEP,
  everyMs,
  // The next sweep does what a missed one would have done; Temporal takes no less.
  catchupWindowMs: 10_000,
  summary: 'Notices that were left behind are enqueued',
  details: 'Of acts whose process died before it could enqueue the notice, or that happened while Redis was away.',
});

/** @param everyMs milliseconds between two runs */
export const retentionSchedule = (everyMs: number): RecurringWorkflow => ({
  names: RETENTION,
  everyMs,
  // The next run does what a missed one would have done.
  catchupWindowMs: 60_000,
  summary: 'What was kept for long enough is dropped',
  details:
    'Goes over every kind of data that goes by time alone (RETENTION_…), in batches. The oldest events of the audit trail go behind ' +
    'a sealed checkpoint.',
});

const toSchedule = ({ names, everyMs, catchupWindowMs, summary, details }: RecurringWorkflow) => ({
  scheduleId: names.scheduleId,
  spec: { intervals: [{ every: everyMs }] },
  action: {
    type: 'startWorkflow' as const,
    workflowType: names.workflowType,
    workflowId: names.workflowId,
    taskQueue: TASK_QUEUES.maintenance,
    staticSummary: summary,
    staticDetails: details,
  },
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchupWindowMs },
});

const isUpToDate = ({ spec, policies }: ScheduleDescription, recurring: RecurringWorkflow): boolean =>
  spec.intervals?.length === 1 &&
  spec.intervals[0]?.every === recurring.everyMs &&
  policies.overlap === ScheduleOverlapPolicy.SKIP &&
  policies.catchupWindow === recurring.catchupWindowMs;

/**
 * Makes the schedule of a recurring workflow, or brings it up to date; whether it is paused is the operator's. Any number of
 * workers may do so at once.
 */
export const ensureSchedule = async (client: Client, recurring: RecurringWorkflow): Promise<void> => {
  const schedule = toSchedule(recurring);
  try {
    await client.schedule.create(schedule);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(schedule.scheduleId);
    if (isUpToDate(await handle.describe(), recurring)) return;
    await handle.update(({ state }) => ({ ...schedule, state }));
  }
};

/** Writes the schedules anew, so that what they hold is under the key that now encrypts. */
export const renewSchedules = async (client: Client, all: readonly RecurringWorkflow[]): Promise<void> => {
  for (const schedule of all.map(toSchedule)) {
    await client.schedule.getHandle(schedule.scheduleId).update(({ state }) => ({ ...schedule, state }));
  }
};

/** How many workflows began before a time and are still kept; or only those that run beside one. */
export const countWorkflows = async (
  client: Client,
  before: Date,
  only?: { readonly runningBeside: string },
): Promise<number> => {
  const conditions = [
    `StartTime < '${before.toISOString()}'`,
    ...(only === undefined ? [] : [`ExecutionStatus = 'Running'`, `RunId != '${only.runningBeside}'`]),
  ];
  return (await client.workflow.count(conditions.join(' AND '))).count;
};

/**
 * Starts a replacement of every data key now, unless one that was ordered runs.
 *
 * @returns its workflow id
 */
export const orderDataKeyRotation = async (client: Client): Promise<string> => {
  const input: DataKeyRotationInput = { madeBefore: Date.now() };
  const { workflowId } = await client.workflow.start(DATA_KEY_ROTATION.workflowType, {
    workflowId: DATA_KEY_ROTATION.orderedWorkflowId,
    taskQueue: TASK_QUEUES.maintenance,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: 'Every data key is replaced, by order of an operator',
  });
  return workflowId;
};

/** Temporal starts the workflow a moment after it has taken the order. */
const LOOKS = 40;
const LOOK_EVERY_MS = 250;

/** Asked without decoding anything, so that whoever gives the order needs no keys. */
const runningRotations = async (client: Client): Promise<string[]> => {
  const { info } = await client.workflowService.describeSchedule({
    namespace: client.options.namespace,
    scheduleId: SIGNING_KEY_ROTATION.scheduleId,
  });
  return (info?.runningWorkflows ?? []).flatMap(({ workflowId }) => workflowId ?? []);
};

/**
 * Starts a rotation now, unless one runs.
 *
 * @returns the workflow id of the rotation that runs, empty when it is not to be seen within 10 s
 * @throws {Error} when there is no schedule yet
 */
export const triggerRotation = async (client: Client): Promise<string[]> => {
  try {
    await client.schedule.getHandle(SIGNING_KEY_ROTATION.scheduleId).trigger(ScheduleOverlapPolicy.SKIP);
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new Error('There is no schedule yet: start a worker that serves the maintenance task queue', {
      cause: error,
    });
  }
  for (let look = 0; look < LOOKS; look += 1) {
    const running = await runningRotations(client);
    if (running.length > 0) return running;
    await sleep(LOOK_EVERY_MS);
  }
  return [];
};
