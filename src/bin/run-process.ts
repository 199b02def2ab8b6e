import type { Logger } from 'pino';

import { ConfigError, loadConfig } from '../config/load';
import type { ProcessContext } from '../container/process';
import { createLogger } from '../observability/logger';
import { createMetrics } from '../observability/metrics';

/** Stops what a process started; called once. */
export type Stop = () => Promise<void>;

/** Ends the process once the log is written. */
const end = (logger: Logger, exitCode: number): void => {
  logger.flush(() => process.exit(exitCode));
};

/**
 * Runs one process of the service: loads the configuration (every problem at once, exit code 78, `EX_CONFIG`), starts, and stops
 * gracefully on SIGTERM or SIGINT. What nobody caught ends the process with exit code 1: its supervisor starts it anew.
 */
export const runProcess = async (name: string, start: (context: ProcessContext) => Promise<Stop>): Promise<void> => {
  let config;
  try {
    config = loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name} cannot start. ${error.message}\n`);
    process.exit(78);
  }
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
    logger.info({ signal }, 'shutting down');
    (stop?.() ?? Promise.resolve()).then(() => {
      logger.info('stopped');
      end(logger, 0);
    }, crash);
  };
  process.on('SIGTERM', shutDown);
  process.on('SIGINT', shutDown);

  try {
    stop = await start({ config, logger, metrics: createMetrics() });
    logger.info('started');
  } catch (error) {
    crash(error);
  }
};
