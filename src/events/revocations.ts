import { setTimeout as sleep } from 'node:timers/promises';

import type { Redis } from 'ioredis';

import type { Revocation, RevocationMessage, RolesChange } from '../contracts/revocation';

import { follow } from './follow';
import { type RawEntry, type StreamEntry, type StreamKeys, toEntry } from './streams';
import type { Tail } from './tail';

/** Sessions that end and roles that change, for whoever checks access tokens without asking the database. */
export interface Revocations {
  /**
   * What happened within the life of an access token, or after `cursor`, then each as it happens. A session may come twice.
   * Ends when `signal` aborts, and when the reader is too slow: go on with the last cursor.
   *
   * @throws when Redis does not answer
   */
  watch(cursor: string | undefined, signal: AbortSignal): AsyncIterable<RevocationMessage>;
}

interface Dependencies {
  readonly redis: Redis;
  readonly tail: Tail;
  readonly keys: StreamKeys;
}

const PAGE = 500;
/** So often it is asked whether the streams are filled, milliseconds. */
const FILLED_POLL_MS = 100;

const toMessage = ({ id: cursor, fields }: StreamEntry): Revocation | RolesChange => {
  const userId = fields['user'] ?? '';
  const { roles } = fields;
  return roles === undefined
    ? { cursor, userId, sessionId: fields['session'] ?? '', endedAt: Number(fields['at']) }
    : { cursor, userId, roles: roles.split(' ').filter(Boolean), changedAt: Number(fields['at']) };
};

export const createRevocations = ({ redis, tail, keys }: Dependencies): Revocations => {
  /** After a loss of Redis the streams are filled anew: until then nobody must believe that nothing was revoked. */
  const waitUntilFilled = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && (await redis.exists(keys.position)) === 0)
      await sleep(FILLED_POLL_MS, undefined, { signal }).catch(() => undefined);
  };

  async function* history(cursor: string | undefined, signal: AbortSignal): AsyncGenerator<StreamEntry> {
    await waitUntilFilled(signal);
    for (let from = cursor === undefined ? '-' : `(${cursor}`; ;) {
      const page = ((await redis.xrange(keys.revocations, from, '+', 'COUNT', PAGE)) as RawEntry[]).map(toEntry);
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      from = `(${last.id}`;
    }
  }

  return {
    async *watch(cursor, signal) {
      const entries = follow({
        listen: (listener) => tail.listen(keys.revocations, listener),
        standing: tail.standing,
        history: () => history(cursor, signal),
        signal,
      });
      for await (const entry of entries) yield entry === 'caught up' ? { ready: true } : toMessage(entry);
    },
  };
};
