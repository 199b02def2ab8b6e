import type { Logger } from 'pino';

import { ConfigError } from '../config/load';
import type { ProcessName, SectionOf } from '../config/processes';
import type { Config } from '../config/sections';
import type { ProcessContext } from '../container/process';
import { DataKeyError, RootKeyError } from '../contracts/keys';
import type * as instrumentation from '../instrumentation';
import type { DataKeyRing } from '../keys/data-keys';
import { createLogger } from '../observability/logger';
import { createMetrics } from '../observability/metrics';

import { CONFIGURATION_ERROR, openConfig } from './live-config';

/** What is left of the time to shut down is for spans that are not sent yet, and at least so long, milliseconds. */
const LAST_SPANS_MS = 500;

/** Stops what a process started; called once. */
export type Stop = () => Promise<void>;

/** Ends the process once the log is written. */
const end = (logger: Logger, exitCode: number): void => {
  logger.flush(() => process.exit(exitCode));
};

/** The keys are of no use: whoever supervises the process need not start it anew. */
class KeyRefusal extends Error {}

/**
 * Has the data keys ready before anything is served. A database that does not answer is no reason to refuse: they are loaded
 * at their first use then.
 *
 * @throws to end the process with exit code 78, when the key store is lost or belongs to another root key
 */
export const checkKeys = async (dataKeys: DataKeyRing, logger: Logger): Promise<void> => {
  try {
    await dataKeys.check();
  } catch (error) {
    const isRefused =
      error instanceof DataKeyError || (error instanceof RootKeyError && error.reason !== 'unavailable');
    if (isRefused) throw new KeyRefusal(error.message);
    logger.warn({ err: error }, 'the data keys cannot be loaded yet');
  }
};

/** Begins to record traces, where there is a collector for them. */
const startTracing = (processName: string, { pino, telemetry }: Config<'pino' | 'telemetry'>, logger: Logger) => {
  const { collector, sampling } = telemetry;
  if (collector === undefined) return undefined;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an `import` cannot wait, and `import()` is not for CommonJS
  const { startTracing: start } = require('../instrumentation') as typeof instrumentation;
  return start({ collector, sampling, processName, serviceName: pino.serviceName, logger });
};

/**
 * Runs one process of the service: loads its sections of the configuration (every problem at once, exit code 78, `EX_CONFIG`), starts, and stops
 * gracefully on SIGTERM or SIGINT. What nobody caught ends the process with exit code 1: its supervisor starts it anew.
 */
export const runProcess = async <P extends ProcessName>(
  name: P,
  start: (context: ProcessContext<SectionOf<P>>) => Promise<Stop>,
): Promise<void> => {
  const live = await openConfig(name);
  const { config, refreshSecrets } = live;
  const logger = createLogger(config.pino).child({ process: name });
  const crash = (error: unknown): void => {
    logger.fatal({ err: error }, 'the process ends because of an error that nobody caught');
    end(logger, 1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  const tracing = startTracing(name, config, logger);
  let stopping = false;
  let stop: Stop | undefined;
  const shutDown = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    live.stop();
    logger.info({ signal }, 'shutting down');
    const deadline = performance.now() + config.app.shutdownTimeoutMs;
    const stopAll = async (): Promise<void> => {
      await stop?.();
      await tracing?.stop(Math.max(LAST_SPANS_MS, deadline - performance.now()));
    };
    stopAll().then(() => {
      logger.info('stopped');
      end(logger, 0);
    }, crash);
  };
  process.on('SIGTERM', shutDown);
  process.on('SIGINT', shutDown);

  try {
    const metrics = createMetrics();
    stop = await start({ config, refreshSecrets, logger, metrics });
    live.follow(logger, metrics);
    logger.info('started');
  } catch (error) {
    if (error instanceof KeyRefusal || error instanceof ConfigError) {
      process.stderr.write(`${name} cannot start. ${error.message}\n`);
      end(logger, CONFIGURATION_ERROR);
    } else {
      crash(error);
    }
  }
};
