import type { Telemetry } from 'bullmq';
import type * as bullmqOtel from 'bullmq-otel';

/**
 * For the options of a queue or a worker: the trace goes with a job, in its options, and carrying it out is a part of that trace.
 * What that takes is loaded only where traces are recorded.
 */
export const telemetryOptions = (isTraced: boolean): { readonly telemetry?: Telemetry } => {
  if (!isTraced) return {};
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an `import` cannot wait, and `import()` is not for CommonJS
  const { BullMQOtel } = require('bullmq-otel') as typeof bullmqOtel;
  return { telemetry: new BullMQOtel() };
};
