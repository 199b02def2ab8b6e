import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Pool } from 'pg';

import type { ProcessName } from '../../src/config/processes';
import { createProcesses, type ServiceProcesses } from '../../tools/processes';
import { MIGRATIONS_DIR } from '../../tools/project';
import { migrate } from '../../tools/stack/migrate';
import { type Stack, startStack } from '../../tools/stack/stack';

import { fillFromTemplate } from './data-template';
import { createHttpClient, type HttpClient } from './http-client';
import { createMailbox, type Mailbox } from './mailbox';

/** The whole service on a stack of its own: real processes, on free ports, in a folder that goes with it. */
export interface TestService {
  readonly stack: Stack;
  readonly processes: ServiceProcesses;
  readonly apiUrl: string;
  /** Of the gateway, where it was started. */
  readonly gatewayUrl: string;
  /** Of the gRPC server, as `host:port`. */
  readonly grpcAddress: string;
  readonly http: HttpClient;
  readonly mailbox: Mailbox;
  /** As the owner: tests may do what the processes may not. */
  readonly database: Pool;
  /** Removes data and logs. */
  stop(): Promise<void>;
}

export interface TestServiceOptions {
  /** Started with the stack; `api`, `worker` and `consumer` by default. */
  readonly processes?: readonly ProcessName[];
  /** Limits only observe unless this says otherwise: tests ask faster than people. */
  readonly env?: Readonly<Record<string, string>>;
  /** Dynamic configuration of the Temporal server, as `name=value`. */
  readonly temporalSettings?: readonly string[];
  /** Another Temporal than the development server of the stack, as `host:port`. */
  readonly temporalAddress?: string;
}

export const startTestService = async (options: TestServiceOptions = {}): Promise<TestService> => {
  const { processes: names = ['api', 'worker', 'consumer'], env = {}, temporalAddress, temporalSettings } = options;
  const folder = await mkdtemp(join(tmpdir(), 'meqenet-test-'));
  const dataDir = join(folder, 'data');
  const isMigrated = await fillFromTemplate(dataDir);
  const stack = await startStack({
    ...{ dataDir, logDir: join(folder, 'logs'), ports: 'free', temporalSettings },
    ...(temporalAddress !== undefined && { environment: { TEMPORAL_ADDRESS: temporalAddress } }),
  });
  const processes = createProcesses(stack, { env: { NODE_ENV: 'test', RATE_LIMIT_MODE: 'observe', ...env } });
  const database = new Pool({ connectionString: stack.databaseOwnerUrl, max: 4 });
  // Tests kill the database: the pool must not throw for idle connections that go with it.
  database.on('error', () => undefined);

  const stop = async (): Promise<void> => {
    await Promise.all(Object.values(processes).map((part) => part.stop()));
    await database.end();
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (!isMigrated) await migrate(stack.databaseOwnerUrl, MIGRATIONS_DIR, stack.env['DATABASE_URL'] ?? '');
    await Promise.all(names.map((name) => processes[name].start()));
  } catch (error) {
    await stop();
    throw error;
  }
  const apiUrl = `http://127.0.0.1:${String(stack.ports.api)}`;
  return {
    stack,
    processes,
    apiUrl,
    gatewayUrl: `http://127.0.0.1:${String(stack.ports.gateway)}`,
    grpcAddress: `127.0.0.1:${String(stack.ports.grpc)}`,
    http: createHttpClient(apiUrl),
    mailbox: createMailbox(stack.mailUrl),
    database,
    stop,
  };
};
