import type { Logger } from 'pino';

import { ConfigError, loadSecretsConfig, unknownSecrets } from '../config/load';
import { PROCESS_SECTIONS, type ProcessName, type SectionOf } from '../config/processes';
import { type SectionName, variablesThatAre } from '../config/sections';
import { type Reload, watchConfig, type WatchedConfig } from '../config/watch';
import type { Metrics } from '../observability/metrics';
import { createReloadMetrics } from '../observability/reload-metrics';
import { createSecretMetrics } from '../observability/secret-metrics';
import { createSecretsProvider } from '../secrets/create-provider';
import { SecretsUnavailableError } from '../secrets/provider';
import { openSecrets, type Secrets } from '../secrets/secrets';

/** `EX_CONFIG` of sysexits.h. */
export const CONFIGURATION_ERROR = 78;

export interface LiveConfig<S extends SectionName> extends Pick<WatchedConfig<S>, 'config' | 'stop'> {
  /** Reads secrets anew and takes them over; never rejects. */
  readonly refreshSecrets: () => Promise<void>;
  /** Takes changes of `CONFIG_FILE` and of secrets over from now on, and says so. */
  readonly follow: (logger: Logger, metrics: Metrics) => void;
}

/** A name that could be one of a variable; what stands in its place may be a value. */
const VARIABLE_NAME = /^[A-Z][A-Z0-9_]{1,63}$/;

const followFile = (watched: WatchedConfig<'pino'>, logger: Logger, { registry }: Metrics): void => {
  const reloads = createReloadMetrics(registry);
  watched.start((reload) => {
    reloads.inc({ outcome: reload.outcome });
    logger.level = watched.config.pino.level;
    if (reload.outcome === 'applied') logger.info({ changed: reload.changed }, 'configuration reloaded');
    else logger.error({ problems: reload.problems }, 'configuration not reloaded; the last good one goes on');
  });
};

/** Says what is wrong, and what awaits a restart, once and not at every reading. */
const createReloadLog = (logger: Logger) => {
  let last = '[]';
  return (reload: Reload): void => {
    const lasting = reload.outcome === 'refused' ? reload.problems : reload.heldBack;
    const isNew = last !== JSON.stringify(lasting);
    last = JSON.stringify(lasting);
    if (reload.outcome === 'applied' && reload.changed.length > 0) {
      logger.info({ changed: reload.changed }, 'secrets taken over');
    }
    if (!isNew || lasting.length === 0) return;
    if (reload.outcome === 'applied') logger.warn({ variables: lasting }, 'secrets that changed await a restart');
    else logger.error({ problems: lasting }, 'secrets not taken over; the last good ones go on');
  };
};

const followSecrets = (
  watched: Pick<WatchedConfig, 'takeSecrets'>,
  secrets: Secrets,
  logger: Logger,
  { registry }: Metrics,
): void => {
  const metrics = createSecretMetrics(registry);
  const logReload = createReloadLog(logger);
  const unknown = unknownSecrets(secrets.values());
  if (unknown.length > 0) {
    logger.warn(
      { variables: unknown.filter((name) => VARIABLE_NAME.test(name)) },
      'the provider of secrets holds what is none of ours',
    );
  }
  secrets.start((error) => {
    if (error !== undefined) {
      metrics.count('failed');
      logger.error({ reason: error.message }, 'secrets cannot be read; the last ones go on');
      return;
    }
    const reload = watched.takeSecrets();
    metrics.count(reload.outcome === 'refused' ? 'refused' : 'read');
    logReload(reload);
  });
};

/**
 * The configuration of a process, with its secrets. What is wrong with it ends the process with exit code 78, every problem named at once
 * and no value.
 */
export const openConfig = async <P extends ProcessName>(processName: P): Promise<LiveConfig<SectionOf<P>>> => {
  const sections = PROCESS_SECTIONS[processName];
  try {
    const where = loadSecretsConfig();
    const provider = createSecretsProvider(where, variablesThatAre('secret', sections));
    const secrets = await openSecrets(provider, where.refreshIntervalMs);
    const watched = watchConfig(sections, { secrets: secrets.values });
    return {
      config: watched.config,
      refreshSecrets: secrets.refresh,
      follow: (logger, metrics) => {
        followFile(watched, logger, metrics);
        followSecrets(watched, secrets, logger, metrics);
      },
      stop: () => {
        watched.stop();
        secrets.stop();
      },
    };
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof SecretsUnavailableError)) throw error;
    process.stderr.write(`${processName} cannot start. ${error.message}\n`);
    process.exit(CONFIGURATION_ERROR);
  }
};
