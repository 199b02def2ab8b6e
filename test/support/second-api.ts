import { join } from 'node:path';

import { createProcesses, type ServiceProcess } from '../../tools/processes';
import { freePort } from '../../tools/stack/ports';

import { createHttpClient, type HttpClient } from './http-client';
import type { TestService } from './service';

/** Another api process on the stack of a service: what one does the other must see. */
export interface SecondApi {
  readonly process: ServiceProcess;
  readonly url: string;
  readonly http: HttpClient;
}

export const startSecondApi = async (
  { stack }: TestService,
  env: Readonly<Record<string, string>> = {},
): Promise<SecondApi> => {
  const port = await freePort();
  const { api } = createProcesses(
    {
      ...stack,
      logDir: join(stack.logDir, 'second'),
      ports: { ...stack.ports, api: port },
      env: { ...stack.env, AUTH_SERVICE_PORT: String(port) },
    },
    { env: { NODE_ENV: 'test', ...env } },
  );
  await api.start();
  const url = `http://127.0.0.1:${String(port)}`;
  return { process: api, url, http: createHttpClient(url) };
};
