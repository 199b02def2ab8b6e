import { proxyActivities, setCurrentDetails, sleep } from '@temporalio/workflow';

import type { DataExportActivities, DataExportMailActivities } from '../activities/data-export';
import type { DataExportInput } from '../contracts/data-export-workflow';
import { TASK_QUEUES } from '../contracts/task-queues';

import { databaseActivities, NOTICE_ACTIVITY } from './activity-options';
import { now } from './workflow-clock';

const { collectExport } = proxyActivities<DataExportActivities>({
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  summary: 'Collect all that is held about the person, and seal it',
});
const { expireExport } = databaseActivities<DataExportActivities>()('Drop it');
const { sendDataExportedMail } = proxyActivities<DataExportMailActivities>({
  ...NOTICE_ACTIVITY,
  taskQueue: TASK_QUEUES.email,
  summary: 'Mail to the owner',
});

/** A person asks for a copy of all that is held about them. It can be downloaded for a while; then it is dropped. */
export async function dataExport(input: DataExportInput): Promise<'expired' | 'withdrawn'> {
  const { exportId, userId } = input;
  setCurrentDetails('Collecting.');
  const { expiresAt } = await collectExport(input);
  if (expiresAt === null) return 'withdrawn';
  setCurrentDetails('It can be downloaded, until it is dropped.');
  // Beside the waiting: with the mail server away it must still be dropped in time.
  sendDataExportedMail({ exportId, userId }).catch(() => undefined);
  if (expiresAt > now()) await sleep(expiresAt - now(), { summary: 'End of the download' });
  await expireExport({ exportId });
  setCurrentDetails('It is dropped.');
  return 'expired';
}
