import { Client, Connection } from '@temporalio/client';

import type { TemporalConfig } from '../config/temporal.config';

import type { DataKeys } from '../contracts/keys';

import { createDataConverter } from './data-converter';
import { toAddress } from './address';
import { clientTracing } from './tracing';

export interface TemporalConnection {
  readonly client: Client;
  /** @throws when the frontend does not answer within `timeoutMs` */
  ping(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** A client that connects at its first call and again after an outage, so that a process starts without Temporal. */
export const createTemporalConnection = (
  config: TemporalConfig,
  dataKeys: DataKeys,
  isTraced = false,
): TemporalConnection => {
  const connection = Connection.lazy(toAddress(config));
  const client = new Client({
    connection,
    namespace: config.namespace,
    dataConverter: createDataConverter(dataKeys),
    interceptors: { workflow: clientTracing(isTraced) },
  });
  return {
    client,
    ping: async (timeoutMs) => {
      await connection.withDeadline(Date.now() + timeoutMs, () =>
        connection.workflowService.describeNamespace({ namespace: config.namespace }),
      );
    },
    close: () => connection.close(),
  };
};
