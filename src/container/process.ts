import type { Logger } from 'pino';

import type { Config, SectionName } from '../config/sections';
import { AppError } from '../contracts/errors';
import type { Metrics } from '../observability/metrics';
import { isDatabaseUnavailable } from '../repositories/database-errors';

/** What a process has from the start; `S` are the sections of the configuration that it must have loaded. */
export interface ProcessContext<S extends SectionName = never> {
  /** What may change while the process runs changes in these very objects. */
  readonly config: Config<S>;
  /** For whoever is refused with the secrets that there are: reads them anew; never rejects. */
  readonly refreshSecrets: () => Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Longest time for one readiness check, milliseconds. */
export const CHECK_TIMEOUT_MS = 2_000;

/** Closes everything, each even if another fails to. */
export const closeAll = async (...closers: (() => unknown)[]): Promise<void> => {
  await Promise.allSettled(closers.map((close) => Promise.resolve().then(close)));
};

/** Turns "not ready" into the rejection that an indicator expects. */
export const mustBeReady = async (ready: boolean | Promise<boolean>): Promise<void> => {
  if (!(await ready)) throw new Error('not ready');
};

/** What the database's absence is to a client. */
export const translateError = (error: unknown): AppError | undefined =>
  isDatabaseUnavailable(error)
    ? new AppError('service_unavailable', { retryAfterSeconds: 5, cause: error })
    : undefined;
