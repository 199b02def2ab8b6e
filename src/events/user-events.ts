import type { Redis } from 'ioredis';

import { AppError } from '../contracts/errors';
import { type UserEvent, userEventSchema } from '../contracts/user-event';

import { follow } from './follow';
import { type RawEntry, type StreamEntry, type StreamKeys, toEntry } from './streams';
import type { Tail } from './tail';

/** An event with its place in the order of a person's events. */
export interface PlacedEvent {
  readonly id: string;
  readonly event: UserEvent;
}

/**
 * An event, or only a place to resume after: where the watching began, and with `resync` where what came after the given id cannot be
 * told any more, so that the state must be read anew.
 */
export type UserEventMessage = PlacedEvent | { readonly id: string; readonly event: 'resync' | undefined };

export interface UserEvents {
  /**
   * What happens to a person's account from now on, or after the place `lastEventId`. Ends when `signal` aborts, and when the
   * reader is too slow: resume with the last id.
   *
   * @throws {AppError} `service_unavailable` when Redis does not answer
   */
  watch(userId: string, lastEventId: string | undefined, signal: AbortSignal): Promise<AsyncIterable<UserEventMessage>>;
}

interface Dependencies {
  readonly redis: Redis;
  readonly tail: Tail;
  readonly keys: StreamKeys;
}

/** The place before everything. */
const NOTHING_YET = '0-0';

const toPlaced = ({ id, fields }: StreamEntry): PlacedEvent => ({
  id,
  event: userEventSchema.parse(JSON.parse(fields['event'] ?? '{}')),
});

const available = async <T>(answer: Promise<T>): Promise<T> => {
  try {
    return await answer;
  } catch (error) {
    throw new AppError('service_unavailable', { retryAfterSeconds: 2, cause: error });
  }
};

export const createUserEvents = ({ redis, tail, keys }: Dependencies): UserEvents => {
  const newestId = async (userId: string): Promise<string> => {
    const [newest] = (await redis.xrevrange(keys.eventsOf(userId), '+', '-', 'COUNT', 1)) as RawEntry[];
    return newest?.[0] ?? NOTHING_YET;
  };

  return {
    async watch(userId, lastEventId, signal) {
      // Whoever loses the connection before the first event must be able to say where they were.
      const newest = await available(newestId(userId));
      const from = lastEventId ?? newest;
      const beginning = { isResumed: false };
      const entries = follow({
        listen: (listener) =>
          tail.listen(keys.events, (entry) => {
            if (entry.fields['user'] === userId) listener(entry);
          }),
        standing: tail.standing,
        async *history() {
          const found = ((await redis.xrange(keys.eventsOf(userId), from, '+')) as RawEntry[]).map(toEntry);
          // The oldest go first: where that entry itself is still there, nothing after it has gone.
          const isThere = found[0]?.id === from;
          beginning.isResumed = isThere && lastEventId !== undefined;
          if (isThere) yield* found.slice(1);
          else if (lastEventId === undefined) yield* found;
        },
        signal,
      });
      // Up to the first entry or the end of the history: what cannot be had is said with a status, before the stream begins.
      const first = await available(entries.next());
      return (async function* (): AsyncGenerator<UserEventMessage> {
        if (!beginning.isResumed) yield { id: newest, event: lastEventId === undefined ? undefined : 'resync' };
        if (first.done !== true && first.value !== 'caught up') yield toPlaced(first.value);
        for await (const entry of entries) if (entry !== 'caught up') yield toPlaced(entry);
      })();
    },
  };
};
