import { proxyActivities, setCurrentDetails, sleep } from '@temporalio/workflow';

import type { DataKeyActivities } from '../activities/data-key';
import type { DataKeyRotationInput, DataKeyRotationResult } from '../contracts/data-key-workflow';

import { databaseActivities, DATABASE_ACTIVITY } from './activity-options';

const database = databaseActivities<DataKeyActivities>();
const { activateDataKeys } = database('Encrypt under new keys where the old ones are due');
const { renewSchedules } = database('Encrypt what the schedules hold under the new key');
const { retireDataKeys } = database('Retire the old keys that nothing uses');
const { reencryptValues } = proxyActivities<DataKeyActivities>({
  ...DATABASE_ACTIVITY,
  // As long as it takes; a worker that was killed is missed after a few heartbeats, and another goes on where it was.
  startToCloseTimeout: '24h',
  heartbeatTimeout: '10s',
  summary: 'Encrypt stored values under the new keys, in batches',
});

/**
 * New data keys come to encrypt, what is stored is encrypted under them, and the old ones go when nothing uses them. Where
 * something still does (a workflow that began before, or a history that Temporal keeps), the next run looks again. A run that
 * was ended half-way leaves nothing behind that the next one does not finish.
 */
export async function dataKeyRotation({ madeBefore }: DataKeyRotationInput = {}): Promise<DataKeyRotationResult> {
  const { activated, propagateForMs } = await activateDataKeys({ madeBefore });
  setCurrentDetails(`New keys: ${activated.join(', ') || 'none'}. Encrypting what is stored under the active ones.`);
  const first = await reencryptValues();
  if (propagateForMs > 0) {
    setCurrentDetails(`${String(first.changed)} values encrypted anew. Waiting until every process has the new keys.`);
    await sleep(propagateForMs, { summary: 'Every process learns the new keys' });
  }
  await renewSchedules();
  // What was written under the old keys meanwhile.
  const second = await reencryptValues();
  const { retired, retiring } = await retireDataKeys();
  const kept = retiring.map(({ id, reason }) => `${id} (${reason})`);
  setCurrentDetails(
    `${String(first.changed + second.changed)} values encrypted anew, ${String(second.refused)} cannot be read. ` +
      `Retired: ${retired.join(', ') || 'none'}. Still needed: ${kept.join(', ') || 'none'}.`,
  );
  return { changed: first.changed + second.changed, refused: second.refused, retired, retiring };
}
