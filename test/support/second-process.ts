import { join } from 'node:path';

import { afterAll, beforeAll } from '@jest/globals';

import { createProcesses, type ServiceProcess } from '../../tools/processes';
import { freePort } from '../../tools/stack/ports';
import type { Stack } from '../../tools/stack/stack';

import { createHttpClient, type HttpClient } from './http-client';
import type { TestService } from './service';

const START_TIMEOUT_MS = 60_000;

type Env = Readonly<Record<string, string>>;

/** The processes of a service once more on its stack, with ports of their own. */
const createSecond = ({ stack }: TestService, ports: Partial<Stack['ports']>, own: Env, env: Env) =>
  createProcesses(
    {
      ...stack,
      logDir: join(stack.logDir, 'second'),
      ports: { ...stack.ports, ...ports },
      env: { ...stack.env, ...own },
    },
    // As the first ones: limits only observe unless a test says otherwise.
    { env: { NODE_ENV: 'test', RATE_LIMIT_MODE: 'observe', ...env } },
  );

/** Another api process on the stack of a service: what one does the other must see. */
export interface SecondApi {
  readonly process: ServiceProcess;
  readonly url: string;
  readonly http: HttpClient;
}

export const startSecondApi = async (service: TestService, env: Env = {}): Promise<SecondApi> => {
  const port = await freePort();
  const own = { AUTH_SERVICE_PORT: String(port), GRPC_PORT: String(await freePort()) };
  const { api } = createSecond(service, { api: port }, own, env);
  await api.start();
  const url = `http://127.0.0.1:${String(port)}`;
  return { process: api, url, http: createHttpClient(url) };
};

/**
 * A service through an api process of another configuration, for all tests of the block: the rest of it is the first one's. For what
 * only the api is told, a stack of its own would be a waste.
 */
export const useSecondApi = (service: TestService, env: Env): TestService => {
  const through = {} as TestService;
  let second: SecondApi | undefined;
  beforeAll(async () => {
    second = await startSecondApi(service, env);
    Object.assign(through, service, { http: second.http, apiUrl: second.url });
  }, START_TIMEOUT_MS);
  afterAll(() => second?.process.stop(), START_TIMEOUT_MS);
  return through;
};

/** Another worker process on the stack of a service, such as one of a fleet of its own. */
export interface SecondWorker {
  readonly process: ServiceProcess;
}

export const startSecondWorker = async (service: TestService, env: Env = {}): Promise<SecondWorker> => {
  const port = await freePort();
  const { worker } = createSecond(service, { workerMetrics: port }, { WORKER_METRICS_PORT: String(port) }, env);
  await worker.start();
  return { process: worker };
};
