import { DefaultLogger, type Logger as SdkLogger } from '@temporalio/worker';
import type { Logger } from 'pino';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Leads what the Temporal SDK has to say into the log of the process, and so through its redaction. */
export const createSdkLogger = (logger: Logger): SdkLogger =>
  new DefaultLogger('DEBUG', ({ level, message, meta }) => {
    const { error, ...fields } = meta ?? {};
    logger[LEVELS[level]]({ ...fields, ...(error !== undefined && { err: error as unknown }) }, message);
  });
