import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';

import { FACTOR_CODE_WORKFLOW, type FactorCodeInput, factorCodeWorkflowId } from '../contracts/factor-code-workflow';
import { TASK_QUEUES } from '../contracts/task-queues';

import type { Calls } from './calls';

export const createFactorCodeClient = ({ client, ask }: Calls) => ({
  /** Has the code of a second factor sent, once: whoever asks again for the same one finds it sent or on its way. */
  sendFactorCode: (input: FactorCodeInput): Promise<void> =>
    ask(async () => {
      try {
        await client.workflow.start(FACTOR_CODE_WORKFLOW, {
          workflowId: factorCodeWorkflowId(input.codeId),
          taskQueue: TASK_QUEUES.mfa,
          args: [input],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          staticSummary: 'The code of a second factor is sent',
          staticDetails:
            'One step: send the code by mail or SMS, unless it was used or replaced or has expired meanwhile.',
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    }),
});
