import { rmSync, writeFileSync } from 'node:fs';

import { loadDatabaseConfig } from '../src/config/load';

import { createKeeper } from './keeper';
import { createProcesses, type ServiceProcesses } from './processes';
import { DATA_DIR, LOG_DIR, MIGRATIONS_DIR, SECRETS_FILE, STACK_FILE } from './project';
import { migrate } from './stack/migrate';
import { startTogether } from './stack/parts';
import { runningProcesses } from './stack/pid-file';
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
    api: local(ports.api),
    apiDocs: `${local(ports.api)}/api/docs`,
    temporalUi: stack.temporalUiUrl,
    mail: stack.mailUrl,
    codecServer: local(ports.codecServer),
    workerMetrics: `${local(ports.workerMetrics)}/metrics`,
    consumerMetrics: `${local(ports.consumerMetrics)}/metrics`,
    temporal: stack.env['TEMPORAL_ADDRESS'] ?? '',
    redis: `${stack.env['REDIS_HOST'] ?? ''}:${stack.env['REDIS_PORT'] ?? ''}`,
    smtp: `${stack.env['SMTP_HOST'] ?? ''}:${stack.env['SMTP_PORT'] ?? ''}`,
    // Its password is a secret, and kept where those are.
    postgres: (stack.env['DATABASE_URL'] ?? '').replace(/\/\/([^:@/]*):[^@]*@/, '//$1:***@'),
  };
};

const applyMigrations = async (stack: Stack): Promise<void> => {
  const begin = Date.now();
  const owner = loadDatabaseConfig({ ...process.env, ...stack.env, DATABASE_URL: stack.databaseOwnerUrl });
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

  const processes = createProcesses(stack, { onCrash: keeper.onCrash });
  const stop = async (): Promise<void> => {
    keeper.close();
    await Promise.all(Object.values(processes).map((part) => part.stop()));
    await stack.stop();
    rmSync(STACK_FILE, { force: true });
  };
  try {
    checkInterrupted();
    await applyMigrations(stack);
    checkInterrupted();
    title('Service');
    await startTogether(Object.values(processes), (part, milliseconds) => done(part.name, milliseconds));
    checkInterrupted();
  } catch (error) {
    await stop();
    throw error;
  }
  const addresses = listAddresses(stack);
  writeFileSync(STACK_FILE, `${JSON.stringify({ startedAt: new Date(), ...addresses }, undefined, 2)}\n`);
  return { stack, processes, addresses, stop };
};

/** Ends every process of the stack without asking. */
export const killEverything = (): void => {
  for (const { pid } of runningProcesses(DATA_DIR)) if (pid !== process.pid) process.kill(pid, 'SIGKILL');
};
