import { rmSync, writeFileSync } from 'node:fs';

import { loadConfig } from '../src/config/load';

import { createKeeper } from './keeper';
import { createProcesses, type ServiceProcesses } from './processes';
import { DATA_DIR, LOG_DIR, MIGRATIONS_DIR, SECRETS_FILE, STACK_FILE } from './project';
import { migrate } from './stack/migrate';
import { startTogether } from './stack/parts';
import { runningProcesses } from './stack/pid-file';
import { createQueueBoard } from './stack/queue-board';
import { type Stack, startStack } from './stack/stack';
import { done, notice, title } from './terminal';

type Addresses = ReturnType<typeof listAddresses>;

/** The stack of a developer's machine with the service running on it. */
export interface Environment {
  readonly stack: Stack;
  readonly processes: ServiceProcesses;
  /** Of everything that people and other programs look for; no secrets. */
  readonly addresses: Addresses;
  /** Ends everything, what was started last first. */
  readonly stop: () => Promise<void>;
}

const listAddresses = (stack: Stack) => {
  const { ports } = stack;
  const local = (port: number): string => `http://localhost:${String(port)}`;
  return {
    gateway: local(ports.gateway),
    gatewayDocs: `${local(ports.gateway)}/api/docs`,
    api: local(ports.api),
    apiDocs: `${local(ports.api)}/api/docs`,
    temporalUi: stack.temporalUiUrl,
    mail: stack.mailUrl,
    queueBoard: local(ports.queueBoard),
    grpc: `localhost:${String(ports.grpc)}`,
    codecServer: local(ports.codecServer),
    workerMetrics: `${local(ports.workerMetrics)}/metrics`,
    consumerMetrics: `${local(ports.consumerMetrics)}/metrics`,
    gatewayMetrics: `${local(ports.gatewayMetrics)}/metrics`,
    temporal: stack.env['TEMPORAL_ADDRESS'] ?? '',
    redis: `${stack.env['REDIS_HOST'] ?? ''}:${stack.env['REDIS_PORT'] ?? ''}`,
    smtp: `${stack.env['SMTP_HOST'] ?? ''}:${stack.env['SMTP_PORT'] ?? ''}`,
    // Its password is a secret, and kept where those are.
    postgres: (stack.env['DATABASE_URL'] ?? '').replace(/\/\/([^:@/]*):[^@]*@/, '//$1:***@'),
  };
};

/** What the gateway's front page shows besides itself and what is behind it. */
const frontPageParts = (addresses: Addresses): string =>
  Object.entries({
    'Temporal UI': addresses.temporalUi,
    // Its own first page is not at its root.
    'Caught mail': `${addresses.mail}/index.html`,
    'Queue board': addresses.queueBoard,
    'Codec server': `${addresses.codecServer}/healthz`,
    'Metrics of the api': `${addresses.api}/metrics`,
    'Metrics of the gateway': addresses.gatewayMetrics,
    'Metrics of the worker': addresses.workerMetrics,
    'Metrics of the consumer': addresses.consumerMetrics,
  })
    .map(([name, url]) => `${name}=${url}`)
    .join(',');

const applyMigrations = async (stack: Stack): Promise<void> => {
  const begin = Date.now();
  const { database: owner } = loadConfig(['database'], {
    ...process.env,
    ...stack.env,
    DATABASE_URL: stack.databaseOwnerUrl,
  });
  const applied = await migrate(owner.url, MIGRATIONS_DIR, stack.env['DATABASE_URL'] ?? '', owner.tls);
  done(
    applied.length === 0 ? 'migrations (none new)' : `migrations (${String(applied.length)} new)`,
    Date.now() - begin,
  );
};

/**
 * Starts the stack, brings the database up to date and starts the service, telling each step on the terminal. What
 * crashes later is started again.
 *
 * @param interrupted asked between steps; true abandons the start
 */
export const startEnvironment = async (interrupted: () => boolean): Promise<Environment> => {
  const keeper = createKeeper(notice);
  const checkInterrupted = (): void => {
    if (interrupted()) throw new Error('Interrupted');
  };
  title('Stack');
  const stack = await startStack({
    dataDir: DATA_DIR,
    logDir: LOG_DIR,
    secretsFile: SECRETS_FILE,
    ports: 'usual',
    environment: process.env,
    onCrash: keeper.onCrash,
    onStarted: (part, milliseconds) => done(part.name, milliseconds),
  });
  if (stack.ended.length > 0) notice(`Ended what an earlier start had left behind: ${stack.ended.join(', ')}`);

  const addresses = listAddresses(stack);
  const env = { FRONT_PAGE_PARTS: process.env['FRONT_PAGE_PARTS'] ?? frontPageParts(addresses) };
  const processes = createProcesses(stack, { env, onCrash: keeper.onCrash });
  const queueBoard = createQueueBoard({ ...stack, port: stack.ports.queueBoard, onCrash: keeper.onCrash });
  const parts = [...Object.values(processes), queueBoard];
  const stop = async (): Promise<void> => {
    keeper.close();
    await Promise.all(parts.map((part) => part.stop()));
    await stack.stop();
    rmSync(STACK_FILE, { force: true });
  };
  try {
    checkInterrupted();
    await applyMigrations(stack);
    checkInterrupted();
    title('Service');
    await startTogether(parts, (part, milliseconds) => done(part.name, milliseconds));
    checkInterrupted();
  } catch (error) {
    await stop();
    throw error;
  }
  writeFileSync(STACK_FILE, `${JSON.stringify({ startedAt: new Date(), ...addresses }, undefined, 2)}\n`);
  return { stack, processes, addresses, stop };
};

/** Ends every process of the stack without asking. */
export const killEverything = (): void => {
  for (const { pid } of runningProcesses(DATA_DIR)) if (pid !== process.pid) process.kill(pid, 'SIGKILL');
};
