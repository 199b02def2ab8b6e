import { TypedSearchAttributes } from '@temporalio/common';

import { DATA_EXPORT_WORKFLOW, type DataExportInput, dataExportWorkflowId } from '../contracts/data-export-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

import type { Calls } from './calls';

export const createDataExportClient = ({ client, ask }: Calls) => ({
  /** Has an export made; a second call for the same one changes nothing. */
  startExport: (input: DataExportInput): Promise<void> =>
    ask(async () => {
      await client.workflow.start(DATA_EXPORT_WORKFLOW, {
        workflowId: dataExportWorkflowId(input.exportId),
        taskQueue: TASK_QUEUES.account,
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: 'A person asks for a copy of all that is held about them',
        staticDetails: 'Steps: collect and seal it, mail that it is ready, wait until it expires, drop it.',
        typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.userId, value: input.userId }]),
      });
    }),
});
