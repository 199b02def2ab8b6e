import { type Client, isGrpcServiceError } from '@temporalio/client';

import type { WorkflowTraces } from '../contracts/account-erasure-workflow';

/** Workflow ids in one query; the visibility store takes no endless ones. */
const CHUNK = 50;
/** gRPC: it is gone already. */
const NOT_FOUND = 5;

const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;

const queriesOf = (userId: string, { workflowIds, emailIndexes }: WorkflowTraces): string[] => {
  const chunks = Array.from({ length: Math.ceil(workflowIds.length / CHUNK) }, (_, index) =>
    workflowIds.slice(index * CHUNK, (index + 1) * CHUNK),
  );
  return [
    `MeqenetUserId = ${quoted(userId)}`,
    ...emailIndexes.map((index) => `MeqenetEmailIndex = ${quoted(index)}`),
    ...chunks.map((ids) => `WorkflowId IN (${ids.map(quoted).join(', ')})`),
  ];
};

const remove = async (client: Client, workflowExecution: { workflowId: string; runId: string }): Promise<void> => {
  try {
    await client.workflowService.deleteWorkflowExecution({ namespace: client.options.namespace, workflowExecution });
  } catch (error) {
    if (!isGrpcServiceError(error) || (error.code as number) !== NOT_FOUND) throw error;
  }
};

/**
 * Deletes the executions about a person, those that run included, with their histories and search attributes.
 *
 * @param except workflow ids that stay: whoever asks
 * @returns how many it found; visibility lags behind by a moment, so look again until there are none
 */
export const forgetWorkflows = async (
  client: Client,
  userId: string,
  traces: WorkflowTraces,
  { except, onDeleted }: { readonly except: readonly string[]; readonly onDeleted: () => void },
): Promise<number> => {
  let found = 0;
  for (const query of queriesOf(userId, traces)) {
    for await (const { workflowId, runId } of client.workflow.list({ query })) {
      if (except.includes(workflowId)) continue;
      await remove(client, { workflowId, runId });
      found += 1;
      onDeleted();
    }
  }
  return found;
};
export type ForgetWorkflows = (
  ...parameters: Parameters<typeof forgetWorkflows> extends [Client, ...infer Rest] ? Rest : never
) => Promise<number>;
