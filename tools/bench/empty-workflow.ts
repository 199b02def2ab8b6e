import { condition, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';

interface Activities {
  doNothing(): Promise<void>;
}

const { doNothing } = proxyActivities<Activities>({ startToCloseTimeout: '10s' });

export const EMPTY_WORKFLOW = 'emptyWorkflow';
export const finishUpdate = defineUpdate('finish');

/** The least that a durable process does: one activity and one update that waits for it. */
export async function emptyWorkflow(): Promise<void> {
  let finished = false;
  setHandler(finishUpdate, async () => {
    await doNothing();
    finished = true;
  });
  await condition(() => finished);
}
