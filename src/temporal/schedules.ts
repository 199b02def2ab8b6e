import { setTimeout as sleep } from 'node:timers/promises';

import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';

import { SIGNING_KEY_ROTATION } from '../contracts/signing-key-workflow';
import { TASK_QUEUES } from '../contracts/task-queues';

/** After an outage of Temporal that was shorter, a rotation that was missed is made up for. */
const CATCHUP_WINDOW_MS = 24 * 60 * 60 * 1_000;

const rotationSchedule = (everyMs: number) => ({
  scheduleId: SIGNING_KEY_ROTATION.scheduleId,
  spec: { intervals: [{ every: everyMs }] },
  action: {
    type: 'startWorkflow' as const,
    workflowType: SIGNING_KEY_ROTATION.workflowType,
    workflowId: SIGNING_KEY_ROTATION.workflowId,
    taskQueue: TASK_QUEUES.maintenance,
    staticSummary: 'A new key comes to sign access tokens',
    staticDetails:
      'Steps: make a key and publish it, wait until every client can know it, sign with it, and remove the old key when its ' +
      'last token has ended.',
  },
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_WINDOW_MS },
});

const isUpToDate = ({ spec, policies }: ScheduleDescription, everyMs: number): boolean =>
  spec.intervals?.length === 1 &&
  spec.intervals[0]?.every === everyMs &&
  policies.overlap === ScheduleOverlapPolicy.SKIP &&
  policies.catchupWindow === CATCHUP_WINDOW_MS;

/**
 * Makes the schedule of the key rotation, or brings it up to date; whether it is paused is the operator's. Any number of
 * workers may do so at once.
 *
 * @param everyMs milliseconds between two rotations
 */
export const ensureRotationSchedule = async (client: Client, everyMs: number): Promise<void> => {
  const schedule = rotationSchedule(everyMs);
  try {
    await client.schedule.create(schedule);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(schedule.scheduleId);
    if (isUpToDate(await handle.describe(), everyMs)) return;
    await handle.update(({ state }) => ({ ...schedule, state }));
  }
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
