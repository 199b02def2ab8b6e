import { randomUUID } from 'node:crypto';

import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';

import { EMPTY_WORKFLOW, finishUpdate } from './empty-workflow';
import { serveCalls } from './helper';
import { closedLoop, type ClosedLoop } from './load';

interface Request extends ClosedLoop {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
}

let connected: Promise<Client> | undefined;

const handlers = {
  run: async ({ address, namespace, taskQueue, ...loop }: Request) => {
    connected ??= Connection.connect({ address }).then((connection) => new Client({ connection, namespace }));
    const client = await connected;
    return closedLoop(loop, async () => {
      const startWorkflowOperation = new WithStartWorkflowOperation(EMPTY_WORKFLOW, {
        workflowId: `empty/${randomUUID()}`,
        taskQueue,
        workflowIdConflictPolicy: 'FAIL',
      });
      await client.workflow.executeUpdateWithStart(finishUpdate, { startWorkflowOperation });
      return 'ok';
    });
  },
};
export type EmptyClientHelper = typeof handlers;

serveCalls(handlers);
