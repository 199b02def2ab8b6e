import { PassThrough, type Readable } from 'node:stream';

import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';
import { STREAM_ID_PATTERN } from '../contracts/revocation';
import type { UserEventMessage, UserEvents } from '../events/user-events';

/** Proxies close what is silent; 15 s is what the HTML standard suggests. */
const KEEP_ALIVE_MS = 15_000;
/** Clients connect again after so long, milliseconds. */
const RETRY_MS = 2_000;
/** Bytes that may wait for a client that reads slowly; after that it is cut off, and may resume. */
const MAX_WAITING_BYTES = 256 * 1_024;
/** Of one person: some devices, with some tabs each. */
const MAX_STREAMS_PER_PERSON = 10;
const MAX_STREAMS = 10_000;

/** Server-sent events (HTML, 9.2). */
const toText = ({ id, event }: UserEventMessage): string => {
  // An id alone is no event to clients, but they resume after it.
  if (event === undefined) return `id: ${id}\n\n`;
  if (event === 'resync') return `id: ${id}\nevent: resync\ndata: {}\n\n`;
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
};

const endsSessionOf = ({ event }: UserEventMessage, { sessionId }: Caller): boolean =>
  typeof event === 'object' && event.type === 'session.ended' && event.sessionId === sessionId;

/** The open streams of this process. */
export interface EventStreams {
  /**
   * The events of the caller's account as server-sent events, until the caller's session ends or the access token expires.
   *
   * @param lastEventId what the client saw last; it gets what it missed
   * @throws {AppError} `validation_failed` where that is no id, `rate_limited` with too many streams of one person, `overloaded`,
   *   `service_unavailable`
   */
  open(caller: Caller, lastEventId: string | undefined): Promise<Readable>;
  /** Ends all of them, so that clients go to another process. */
  endAll(): void;
  count(): number;
}

export const createEventStreams = (userEvents: UserEvents): EventStreams => {
  const open = new Map<string, Set<AbortController>>();
  let count = 0;
  let isClosing = false;

  /** @returns what must be called when the stream is over */
  const register = (userId: string, controller: AbortController): (() => void) => {
    if (isClosing || count >= MAX_STREAMS) throw new AppError('overloaded', { retryAfterSeconds: 2 });
    const own = open.get(userId) ?? new Set();
    if (own.size >= MAX_STREAMS_PER_PERSON) throw new AppError('rate_limited', { retryAfterSeconds: 30 });
    open.set(userId, own.add(controller));
    count += 1;
    return () => {
      if (!own.delete(controller)) return;
      count -= 1;
      if (own.size === 0) open.delete(userId);
    };
  };

  const copy = async (
    messages: AsyncIterable<UserEventMessage>,
    stream: PassThrough,
    caller: Caller,
  ): Promise<void> => {
    for await (const message of messages) {
      if (stream.writableLength > MAX_WAITING_BYTES) return;
      stream.write(toText(message));
      if (endsSessionOf(message, caller)) return;
    }
  };

  const write = (
    messages: AsyncIterable<UserEventMessage>,
    caller: Caller,
    controller: AbortController,
  ): PassThrough => {
    const stream = new PassThrough();
    stream.write(`retry: ${String(RETRY_MS)}\n\n`);
    const keepAlive = setInterval(() => stream.write(': still here\n\n'), KEEP_ALIVE_MS);
    const expiry = setTimeout(
      () => {
        controller.abort();
      },
      caller.tokenExpiresAt * 1_000 - Date.now(),
    );
    stream.once('close', () => {
      clearInterval(keepAlive);
      clearTimeout(expiry);
      controller.abort();
    });
    copy(messages, stream, caller).then(
      () => stream.end(),
      (error: unknown) => stream.destroy(error as Error),
    );
    return stream;
  };

  return {
    async open(caller, lastEventId) {
      if (lastEventId !== undefined && !STREAM_ID_PATTERN.test(lastEventId))
        throw new AppError('validation_failed', {
          errors: [{ path: 'Last-Event-ID', code: 'invalid_format', message: 'Not the id of an event' }],
        });
      const controller = new AbortController();
      const leave = register(caller.userId, controller);
      controller.signal.addEventListener('abort', leave, { once: true });
      try {
        return write(await userEvents.watch(caller.userId, lastEventId, controller.signal), caller, controller);
      } catch (error) {
        controller.abort();
        throw error;
      }
    },
    count: () => count,
    endAll: () => {
      isClosing = true;
      for (const own of open.values()) for (const controller of own) controller.abort();
    },
  };
};
