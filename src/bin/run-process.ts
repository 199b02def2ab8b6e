import type { Logger } from 'pino';

import type { ProcessContext } from '../container/process';
import { DataKeyError, RootKeyError } from '../contracts/keys';
import type { DataKeyRing } from '../keys/data-keys';
import { createLogger } from '../observability/logger';
import { createMetrics } from '../observability/metrics';

import { CONFIGURATION_ERROR, openConfig } from './live-config';

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

/**
 * Runs one process of the service: loads the configuration (every problem at once, exit code 78, `EX_CONFIG`), starts, and stops
 * gracefully on SIGTERM or SIGINT. What nobody caught ends the process with exit code 1: its supervisor starts it anew.
 */
export const runProcess = async (name: string, start: (context: ProcessContext) => Promise<Stop>): Promise<void> => {
  const live = await openConfig(name);
  const { config, refreshSecrets } = live;
  const logger = createLogger(config.pino).child({ process: name });
  const crash = (error: unknown): void => {
    logger.fatal({ err: error }, 'the process ends because of an error that nobody caught');
    end(logger, 1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  let stopping = false;
  let stop: Stop | undefined;
  const shutDown = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    live.stop();
    logger.info({ signal }, 'shutting down');
    (stop?.() ?? Promise.resolve()).then(() => {
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
    if (error instanceof KeyRefusal) {
      process.stderr.write(`${name} cannot start. ${error.message}\n`);
      end(logger, CONFIGURATION_ERROR);
    } else {
      crash(error);
    }
  }
};
