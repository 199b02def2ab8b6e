import pino, { type DestinationStream, type LogFn, type Logger } from 'pino';

import type { PinoConfig } from '../config/pino.config';
import { createRedact } from './redact';
import { activeSpan } from './span';

/** Lines are collected up to this size before they are written, bytes. */
const BUFFER_BYTES = 8_192;
/** ... or up to this age, milliseconds. */
const FLUSH_MS = 250;

/** Standard output, buffered: a write for each line would cost more than the request. Flushed at exit by pino. */
const bufferedOutput = (): DestinationStream =>
  pino.destination({ dest: 1, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_MS });

/** Without a message pino takes the error's own, unmasked. */
function withMessage(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  if (args.length === 1 && typeof args[0] === 'object') method.apply(this, [args[0], 'error']);
  else method.apply(this, args);
}

/** Whatever is logged while something is traced can be found by its trace. */
const traceOf = (): object => {
  const traceId = activeSpan()?.traceId;
  return traceId === undefined ? {} : { traceId };
};

/**
 * A JSON logger: ISO times, level by name, `service`, secrets and personal data redacted at any depth, errors without
 * the values that drivers put into them.
 */
export const createLogger = (
  { level, serviceName }: PinoConfig,
  destination: DestinationStream = bufferedOutput(),
): Logger => {
  const redact = createRedact();
  const logger = pino(
    {
      level,
      base: { service: serviceName },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redact },
      // `redact` has dealt with errors; pino's serializer would take the reduced object for an error again.
      serializers: { err: (value: unknown) => value },
      hooks: { logMethod: withMessage },
      mixin: traceOf,
    },
    destination,
  );
  // pino gives the bindings of children to no formatter. Children inherit this from the logger.
  // Called with its `this` below.
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const makeChild = logger.child;
  logger.child = function child(bindings, options) {
    return makeChild.call(this, redact(bindings), options) as never;
  };
  return logger;
};
