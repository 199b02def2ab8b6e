import type { Logger } from 'pino';

import { ConfigError } from '../config/load';
import { watchConfig, type WatchedConfig } from '../config/watch';
import type { ProcessContext } from '../container/process';
import { DataKeyError, RootKeyError } from '../contracts/keys';
import type { DataKeyRing } from '../keys/data-keys';
import { createLogger } from '../observability/logger';
import { createMetrics, type Metrics } from '../observability/metrics';
import { createReloadMetrics } from '../observability/reload-metrics';

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

/** Takes changes of `CONFIG_FILE` over, and says so. */
const followConfig = (watched: WatchedConfig, logger: Logger, { registry }: Metrics): void => {
  const reloads = createReloadMetrics(registry);
  watched.start((reload) => {
    reloads.inc({ outcome: reload.outcome });
    logger.level = watched.config.pino.level;
    if (reload.outcome === 'applied') logger.info({ changed: reload.changed }, 'configuration reloaded');
    else logger.error({ problems: reload.problems }, 'configuration not reloaded; the last good one goes on');
  });
};

/**
 * Runs one process of the service: loads the configuration (every problem at once, exit code 78, `EX_CONFIG`), starts, and stops
 * gracefully on SIGTERM or SIGINT. What nobody caught ends the process with exit code 1: its supervisor starts it anew.
 */
export const runProcess = async (name: string, start: (context: ProcessContext) => Promise<Stop>): Promise<void> => {
  let watched: WatchedConfig;
  try {
    watched = watchConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name} cannot start. ${error.message}\n`);
    process.exit(78);
  }
  const { config } = watched;
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
    watched.stop();
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
    stop = await start({ config, logger, metrics });
    followConfig(watched, logger, metrics);
    logger.info('started');
  } catch (error) {
    if (error instanceof KeyRefusal) {
      process.stderr.write(`${name} cannot start. ${error.message}\n`);
      end(logger, 78);
    } else {
      crash(error);
    }
  }
};
