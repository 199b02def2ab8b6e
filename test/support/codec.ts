import { historyToJSON } from '@temporalio/common/lib/proto-utils';

import { newPerson, signUp } from './people';
import type { TestService } from './service';
import { withTemporal } from './temporal';

/** A payload as protobuf JSON, which the Temporal UI and its codec server speak. */
export interface JsonPayload {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: string;
}
export interface EncodedRun {
  readonly workflowId: string;
  readonly runId: string;
  /** The arguments of the workflow as Temporal keeps them. */
  readonly input: readonly JsonPayload[];
}

interface HistoryJson {
  readonly events: readonly {
    readonly workflowExecutionStartedEventAttributes?: {
      readonly input: { readonly payloads: readonly JsonPayload[] };
    };
  }[];
}

/** A registration that has run, encrypted as it lies in Temporal. */
export const registeredRun = async (service: TestService): Promise<EncodedRun> => {
  await signUp(service, newPerson());
  return withTemporal(service, async (client) => {
    for await (const { workflowId, runId } of client.workflow.list({ query: `WorkflowType = 'registration'` })) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      const { events } = JSON.parse(historyToJSON(history)) as HistoryJson;
      const input = events[0]?.workflowExecutionStartedEventAttributes?.input.payloads ?? [];
      return { workflowId, runId, input };
    }
    throw new Error('There is no such workflow');
  });
};

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const textOf = ({ data }: JsonPayload): string => Buffer.from(data, 'base64').toString('utf8');
