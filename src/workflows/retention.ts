import { proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';

import type { RetentionActivities } from '../activities/retention';
import type { RetentionResult } from '../contracts/retention-workflow';

import { databaseActivities } from './activity-options';

const database = databaseActivities<RetentionActivities>();
const { listRetentionSteps } = database('Look what is kept for how long');
const { recordRetention } = database('Record what was dropped');

/** Batch after batch: a policy that was made shorter may find millions of rows. */
const dropping = (summary: string) =>
  proxyActivities<Pick<RetentionActivities, 'applyRetention'>>({
    startToCloseTimeout: '6h',
    heartbeatTimeout: '30s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
    summary,
  });

const told = (result: RetentionResult, now: string): string => {
  const dropped = Object.entries(result).filter(([, rows]) => rows > 0);
  const lines = dropped.map(([policy, rows]) => `- ${policy}: ${String(rows)}`);
  return [now, ...(lines.length > 0 ? ['', 'Dropped so far:', '', ...lines] : [])].join('\n');
};

/** Drops everything that has been kept for as long as its policy says. A run that was ended half-way leaves the rest to the next. */
export async function retention(): Promise<RetentionResult> {
  const { workflowId, startTime } = workflowInfo();
  const result: Record<string, number> = {};
  for (const { policy, summary } of await listRetentionSteps()) {
    setCurrentDetails(told(result, `Now: ${summary}.`));
    const { rows } = await dropping(summary).applyRetention({ policy });
    result[policy] = rows;
  }
  if (Object.values(result).some((rows) => rows > 0))
    await recordRetention({ workflowId, startedAt: startTime.getTime(), result });
  setCurrentDetails(told(result, 'Done.'));
  return result;
}
