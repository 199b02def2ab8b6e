import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadConfig } from '../../src/config/load';
import type { Config } from '../../src/config/sections';
import { createProcesses, type ServiceProcesses } from '../processes';
import { MIGRATIONS_DIR } from '../project';
import { migrate } from '../stack/migrate';
import { startTogether } from '../stack/parts';
import { runningProcesses } from '../stack/pid-file';
import { freePort } from '../stack/ports';
import { type Stack, startStack } from '../stack/stack';

import { type Helper, startHelper } from './helper';
import type { SmtpSinkHelper } from './smtp-sink.child';

/** The sections of the configuration that measurements look at. */
const MEASURED = ['grpc', 'database', 'temporal', 'mail', 'security'] as const;

/** The service on a stack of its own, configured as in production but for the limits, with a mail server that only says yes. */
export interface BenchService {
  readonly stack: Stack;
  readonly processes: ServiceProcesses;
  readonly config: Config<(typeof MEASURED)[number]>;
  readonly apiPort: number;
  readonly gatewayPort: number;
  /** Removes data and logs, too. */
  readonly stop: () => Promise<void>;
  /** Ends every process without asking. */
  readonly kill: () => void;
}

const keyRing = (): string => `bench1:${randomBytes(32).toString('base64')}`;

/** What differs from the defaults: nothing that a bigger installation would not set as well. */
const settings = (smtpPort: number): Record<string, string> => ({
  // Production refuses to start without limits, which a load from one address meets at once; nothing else depends on it.
  NODE_ENV: 'test',
  RATE_LIMIT_MODE: 'observe',
  LOG_LEVEL: 'warn',
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: String(smtpPort),
  // The mail server's limit, which is not ours to measure.
  WORKER_MAX_MAILS_PER_SECOND: '10000',
  PASSWORD_HASH_CONCURRENCY: String(availableParallelism()),
  // Production refuses the keys of a developer's machine.
  ROOT_KEYS: keyRing(),
});

export const startBenchService = async (): Promise<BenchService> => {
  const folder = await mkdtemp(join(tmpdir(), 'meqenet-bench-'));
  const dataDir = join(folder, 'data');
  const smtpPort = await freePort();
  const mail: Helper<SmtpSinkHelper> = startHelper('smtp-sink');
  const stoppers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true }), () => mail.stop()];
  const stop = async (): Promise<void> => {
    for (const stopper of stoppers.splice(0).reverse()) await stopper();
  };
  try {
    await mail.call('listen', { port: smtpPort });
    const stack = await startStack({
      dataDir,
      logDir: join(folder, 'logs'),
      ports: 'free',
      parts: ['postgres', 'valkey', 'temporal'],
    });
    stoppers.push(() => stack.stop());
    const env = settings(smtpPort);
    const processes = createProcesses(stack, { env });
    const started = [processes.api, processes.worker, processes.consumer];
    stoppers.push(() => Promise.all([...started, processes.gateway].map((part) => part.stop())));
    await migrate(stack.databaseOwnerUrl, MIGRATIONS_DIR, stack.env['DATABASE_URL'] ?? '');
    await startTogether(started);
    return {
      stack,
      processes,
      config: loadConfig(MEASURED, { ...stack.env, ...env }),
      apiPort: stack.ports.api,
      gatewayPort: stack.ports.gateway,
      stop,
      kill: () => {
        for (const { pid } of runningProcesses(dataDir)) if (pid !== process.pid) process.kill(pid, 'SIGKILL');
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
