import { Client, Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

import { loadConfig } from '../../src/config/load';
import { createDataConverter } from '../../src/temporal/data-converter';

import { withProtection } from './protection';
import type { TestService } from './service';

/** Runs `work` with a Temporal client that has the service's keys. */
export const withTemporal = async <T>(service: TestService, work: (client: Client) => Promise<T>): Promise<T> => {
  const config = loadConfig(['temporal'], service.stack.env).temporal;
  const connection = await Connection.connect({ address: config.address });
  try {
    return await withProtection(service.stack, ({ dataKeys }) =>
      work(new Client({ connection, namespace: config.namespace, dataConverter: createDataConverter(dataKeys) })),
    );
  } finally {
    await connection.close();
  }
};

/** A registration as an operator finds it in the UI: by its run id, decoded. */
export const describeRun = (service: TestService, registrationId: string) =>
  withTemporal(service, async (client) => {
    const [codec] = client.options.loadedDataConverter.payloadCodecs;
    const decode = async (payload: temporal.api.common.v1.IPayload | null | undefined): Promise<string> => {
      if (payload == null) return '';
      const [decoded] = (await codec?.decode([payload])) ?? [];
      return Buffer.from(decoded?.data ?? []).toString('utf8');
    };
    for await (const { workflowId, typedSearchAttributes, status } of client.workflow.list({
      query: `RunId = '${registrationId}'`,
    })) {
      const handle = client.workflow.getHandle(workflowId, registrationId);
      const { raw } = await handle.describe();
      const metadata = await client.workflowService.queryWorkflow({
        namespace: client.options.namespace,
        execution: { workflowId, runId: registrationId },
        query: { queryType: '__temporal_workflow_metadata' },
      });
      const [answer] = metadata.queryResult?.payloads ?? [];
      const { currentDetails = '' } = JSON.parse((await decode(answer)) || '{}') as { currentDetails?: string };
      return {
        workflowId,
        status: status.name,
        staticSummary: JSON.parse((await decode(raw.executionConfig?.userMetadata?.summary)) || '""') as string,
        currentDetails,
        searchAttributes: Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])),
        /** What whoever has no key can read. */
        raw: Buffer.from(
          temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse.encode(raw).finish(),
        ).toString('latin1'),
      };
    }
    throw new Error('There is no such run');
  });
