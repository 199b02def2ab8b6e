import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';

import { ENDING_ACTIONS, ROLE_ACTIONS, TOLD_ACTIONS, type UserEvent } from '../contracts/user-event';
import type { AccountRoles, EndedSession, EventSource, SourceEvent } from '../repositories/event-source-repository';

import { type RawEntry, type StreamKeys, toEntry } from './streams';

/** Events of the audit trail that are taken over at once. */
const BATCH = 500;
/** Between two looks at the trail, however much happens, milliseconds. */
const GAP_MS = 100;
/** A process that is gone is replaced after so long, milliseconds. */
const LEASE_MS = 1_500;
/** The trail is looked at, and the lease kept or asked for, though nobody says that there is something new, milliseconds. */
const IDLE_MS = LEASE_MS / 3;
/** After a failure (PostgreSQL or Redis is away), milliseconds. */
const PAUSE_MS = 1_000;
/** What somebody who was away may catch up with. */
const KEEP_USER_EVENTS = 200;
const KEEP_USER_EVENTS_MS = 7 * 24 * 60 * 60 * 1_000;
/** For processes that were away for a moment; each still has the streams of the persons. */
const KEEP_EVENTS = 10_000;
/** A session may have ended so long before its event was recorded: the transaction waits for locks meanwhile, milliseconds. */
const ENDED_BEFORE_EVENT_MS = 60_000;
const TRIM_INTERVAL_MS = 60_000;
/** Sessions that were told of, so that a later act of the same account does not tell of them again. */
const REMEMBERED_SESSIONS = 10_000;

const TOLD: ReadonlySet<string> = new Set(TOLD_ACTIONS);

/** Takes the lease or keeps it, and tells where the streams stand. Returns nil where another process has it. */
const LEASE_SCRIPT = `
  local holder = redis.call('GET', KEYS[1])
  if holder and holder ~= ARGV[1] then return false end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return redis.call('GET', KEYS[2]) or ''`;

/** Adds an entry unless it, or a later one, is there already: ids only grow. Any other failure, such as a full memory, is one. */
const ADD_SCRIPT = `
  local reply = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], ARGV[2], unpack(ARGV, 3))
  if type(reply) == 'table' and reply.err and not string.find(reply.err, 'equal or smaller') then return reply end
  return 1`;

export interface RelayDependencies {
  readonly source: EventSource;
  readonly redis: Redis;
  readonly keys: StreamKeys;
  /** The most that a token of the account may claim. */
  readonly claimableRoles: (account: AccountRoles) => readonly string[];
  /** Life of an access token, milliseconds; read at use. */
  readonly tokenLifeMs: () => number;
  readonly onPublished: (events: number) => void;
  /** How long it waits where nobody wakes it, milliseconds: at most a third of the lease, unless it is the only one. */
  readonly idleMs?: number;
  readonly logger: { warn(fields: object, message: string): void };
}

/** What is told to the person, and what to whoever checks tokens: fields of an entry. */
interface News {
  readonly event?: UserEvent;
  readonly revocation?: Readonly<Record<string, string>>;
}
interface Publication extends News {
  readonly id: string;
  readonly userId: string;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const toUserEvent = ({ action, occurredAt, details }: SourceEvent): UserEvent => ({
  type: action as UserEvent['type'],
  occurredAt: occurredAt.toISOString(),
  ...(text(details['sessionId']) !== undefined && { sessionId: text(details['sessionId']) }),
  ...(text(details['factorId']) !== undefined && { factorId: text(details['factorId']) }),
});

const toSessionEnded = ({ id, endedAt, endedBy }: EndedSession): UserEvent => ({
  type: 'session.ended',
  occurredAt: endedAt.toISOString(),
  sessionId: id,
  ...(endedBy !== null && { reason: endedBy }),
});

const toEndNews = (session: EndedSession): News => ({
  event: toSessionEnded(session),
  revocation: { session: session.id, at: String(session.endedAt.getTime()) },
});

const subjectsOf = (events: readonly SourceEvent[]): string[] => [
  ...new Set(events.map(({ subjectId }) => subjectId).filter((id) => id !== null)),
];

/**
 * Carries what the audit trail records into the streams of Redis: for people who watch their account, and for whoever checks
 * access tokens without asking the database.
 *
 * The trail is the source, since it is committed with the act itself: nothing that happened is missed, whoever dies when, and
 * after a loss of Redis the streams are filled anew. An entry's id is the sequence of its event, and ids only grow, so that two
 * processes that do this at once add nothing twice; the lease only saves them the work. A session's end may be told of again
 * after a change of the process that does this.
 */
export const createRelay = (deps: RelayDependencies) => {
  const { source, redis, keys, tokenLifeMs, onPublished, logger, idleMs = IDLE_MS } = deps;
  const id = randomUUID();
  const told = new LRUCache<string, true>({ max: REMEMBERED_SESSIONS });
  const stopped = new AbortController();
  let running: Promise<void> | undefined;
  let trimmedAt = 0;
  let isLost = false;
  let isHolder = false;
  let isWoken = false;
  let rouse = (): void => undefined;

  /** What the sessions' rows say of acts that end several. */
  const endedSessions = async (events: readonly SourceEvent[]): Promise<Map<string, EndedSession[]>> => {
    const ending = events.filter(({ action }) => ENDING_ACTIONS.has(action));
    const [first] = ending;
    if (first === undefined) return new Map();
    const since = new Date(first.occurredAt.getTime() - ENDED_BEFORE_EVENT_MS);
    const ended = await source.sessionsEnded(subjectsOf(ending), since);
    const byUser = new Map<string, EndedSession[]>();
    for (const session of ended) byUser.set(session.userId, [...(byUser.get(session.userId) ?? []), session]);
    return byUser;
  };

  /** As they are by now: whatever has changed them since has an event of its own. */
  const rolesOfAccounts = async (events: readonly SourceEvent[]): Promise<Map<string, string>> => {
    const changed = subjectsOf(events.filter(({ action }) => ROLE_ACTIONS.has(action)));
    const accounts = changed.length === 0 ? [] : await source.rolesOf(changed);
    return new Map(accounts.map((account) => [account.userId, deps.claimableRoles(account).join(' ')]));
  };

  const toPublications = async (events: readonly SourceEvent[]): Promise<Publication[]> => {
    const [ended, rolesByUser] = await Promise.all([endedSessions(events), rolesOfAccounts(events)]);
    return events.flatMap((event) => {
      const userId = event.subjectId;
      if (userId === null) return [];
      const sessions = ENDING_ACTIONS.has(event.action) ? (ended.get(userId) ?? []) : [];
      const news = sessions.filter(({ id: sessionId }) => !told.has(sessionId));
      for (const session of news) told.set(session.id, true);
      const isTold = TOLD.has(event.action) && (event.outcome === 'success' || event.action === 'refresh_token.reused');
      const roles = ROLE_ACTIONS.has(event.action) ? rolesByUser.get(userId) : undefined;
      const bodies: News[] = [
        ...(isTold ? [{ event: toUserEvent(event) }] : []),
        ...news.map(toEndNews),
        ...(roles === undefined ? [] : [{ revocation: { roles, at: String(event.occurredAt.getTime()) } }]),
      ];
      return bodies.map((body, index) => ({ id: `${event.sequence}-${String(index + 1)}`, userId, ...body }));
    });
  };

  const publish = async (publications: readonly Publication[], position: string): Promise<void> => {
    const pipeline = redis.pipeline();
    const add = (key: string, keep: number, entryId: string, ...fields: string[]) =>
      pipeline.eval(ADD_SCRIPT, 1, key, keep, entryId, ...fields);
    for (const { id: entryId, userId, event, revocation } of publications) {
      if (event !== undefined) {
        const json = JSON.stringify(event);
        add(keys.events, KEEP_EVENTS, entryId, 'user', userId, 'event', json);
        add(keys.eventsOf(userId), KEEP_USER_EVENTS, entryId, 'event', json);
        pipeline.pexpire(keys.eventsOf(userId), KEEP_USER_EVENTS_MS);
      }
      // Trimmed by time, and not by number: no number of logouts may bring a token back.
      if (revocation !== undefined)
        add(keys.revocations, Number.MAX_SAFE_INTEGER, entryId, 'user', userId, ...Object.entries(revocation).flat());
    }
    const failure = (await pipeline.exec())?.find(([error]) => error !== null)?.[0];
    if (failure !== undefined && failure !== null) throw failure;
    // Only now: what was not added is added by the next look.
    await redis.set(keys.position, position);
    onPublished(publications.length);
  };

  /** Drops revocations of tokens that have expired since. */
  const trim = async (): Promise<void> => {
    if (Date.now() - trimmedAt < TRIM_INTERVAL_MS) return;
    trimmedAt = Date.now();
    const oldest = Date.now() - 2 * tokenLifeMs() - TRIM_INTERVAL_MS;
    for (let from = '-'; ;) {
      const page = ((await redis.xrange(keys.revocations, from, '+', 'COUNT', BATCH)) as RawEntry[]).map(toEntry);
      const young = page.find(({ fields }) => Number(fields['at']) >= oldest);
      const last = page.at(-1);
      if (young !== undefined) await redis.xtrim(keys.revocations, 'MINID', young.id);
      else if (last !== undefined)
        await redis.xtrim(keys.revocations, 'MINID', `${last.id.split('-')[0] ?? ''}-999999999`);
      if (young !== undefined || page.length < BATCH) return;
      from = `(${last?.id ?? ''}`;
    }
  };

  /** @returns how long to wait before the next look, milliseconds */
  const look = async (): Promise<number> => {
    const known = (await redis.eval(LEASE_SCRIPT, 2, keys.lease, keys.position, id, LEASE_MS)) as string | null;
    isHolder = known !== null;
    if (known === null) return idleMs;
    // As far back as tokens may live that were given out before.
    const start = () => source.sequenceBefore(new Date(Date.now() - 2 * tokenLifeMs()));
    const position = known === '' ? await start() : known;
    const events = await source.after(position, BATCH);
    const last = events.at(-1)?.sequence;
    if (last !== undefined || known === '') await publish(await toPublications(events), last ?? position);
    await trim();
    return events.length === BATCH ? 0 : idleMs;
  };

  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stopped.signal }).catch(() => undefined);

  /** Until it is time for the next look, or there is something to see. */
  const rest = async (waitMs: number): Promise<void> => {
    await pause(Math.min(waitMs, GAP_MS));
    if (isWoken || waitMs <= GAP_MS) return;
    const woken = new Promise<void>((resolve) => (rouse = resolve));
    await Promise.race([pause(waitMs - GAP_MS), woken]);
  };

  const run = async (): Promise<void> => {
    // The connection is being made.
    if (redis.status !== 'ready')
      await once(redis, 'ready', { signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(PAUSE_MS)]) }).catch(
        () => undefined,
      );
    while (!stopped.signal.aborted) {
      let waitMs = PAUSE_MS;
      isWoken = false;
      try {
        waitMs = await look();
        isLost = false;
      } catch (error) {
        // What was not published may be told of again.
        told.clear();
        isHolder = false;
        if (!isLost) logger.warn({ err: error }, 'events are not passed on for now; nothing is lost');
        isLost = true;
      }
      await rest(waitMs);
    }
  };

  return {
    start: () => {
      running ??= run();
    },
    /** There is something new: it is carried on at once, or `GAP_MS` after what was before. Others than the holder let it be. */
    wake: () => {
      if (!isHolder) return;
      isWoken = true;
      rouse();
    },
    /** Gives the lease back, so that another process goes on at once. */
    stop: async () => {
      stopped.abort();
      await running;
      const release = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;
      await redis.eval(release, 1, keys.lease, id).catch(() => undefined);
    },
  };
};
