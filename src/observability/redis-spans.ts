import { tracingChannel } from 'node:diagnostics_channel';

import { beginAsking, type Span } from './span';

/** What ioredis tells of a command; keys and arguments as well, which are nobody's business. */
interface Command {
  readonly command: string;
  readonly error?: unknown;
}

/** Makes a span of each command that ioredis sends. */
export const traceRedis = (): void => {
  const spans = new WeakMap<object, Span>();
  tracingChannel<'ioredis:command', Command>('ioredis:command').subscribe({
    start: (message) => {
      const name = message.command.toUpperCase();
      spans.set(message, beginAsking(name, { 'db.system.name': 'redis', 'db.operation.name': name }));
    },
    end: () => undefined,
    asyncStart: () => undefined,
    asyncEnd: (message) => spans.get(message)?.end(),
    error: (message) => spans.get(message)?.fail(message.error),
  });
};
