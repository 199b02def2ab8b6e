import { setTimeout as sleep } from 'node:timers/promises';

import type { Revocations } from '../events/revocations';

import type { RevokedClaims } from './edge-tokens';

interface Dependencies {
  readonly source: Revocations;
  /** Life of an access token, milliseconds: after it a revocation is forgotten. Read at use. */
  readonly tokenLifeMs: () => number;
  readonly onFailure: (error: unknown) => void;
}

/** Clocks may differ by so much, and a token is accepted for so long after its end, milliseconds. */
const MARGIN_MS = 60_000;
const SWEEP_MS = 60_000;
const RETRY_MS = 1_000;

const forget = (entries: Map<string, { readonly at: number }>, before: number): void => {
  for (const [id, { at }] of entries) if (at < before) entries.delete(id);
};

/** Follows the ends of sessions and the changes of roles for as long as the process runs, from where it was when it is interrupted. */
export const followRevocations = ({ source, tokenLifeMs, onFailure }: Dependencies) => {
  const ended = new Map<string, { readonly at: number }>();
  /** By account: those that it may claim. */
  const roles = new Map<string, { readonly at: number; readonly claimable: ReadonlySet<string> }>();
  const stopping = new AbortController();
  let cursor: string | undefined;

  const follow = async (): Promise<void> => {
    for await (const item of source.watch(cursor, stopping.signal)) {
      if ('ready' in item) continue;
      cursor = item.cursor;
      if ('roles' in item) roles.set(item.userId, { at: item.changedAt, claimable: new Set(item.roles) });
      else ended.set(item.sessionId, { at: item.endedAt });
    }
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await follow().catch(onFailure);
      await sleep(RETRY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };
  const sweep = setInterval(() => {
    const forgotten = Date.now() - tokenLifeMs() - MARGIN_MS;
    forget(ended, forgotten);
    forget(roles, forgotten);
  }, SWEEP_MS).unref();
  run().catch(onFailure);

  const revoked: RevokedClaims = {
    includes: ({ sessionId, userId, roles: claimed }) => {
      const claimable = roles.get(userId)?.claimable;
      return ended.has(sessionId) || (claimable !== undefined && !claimed.every((role) => claimable.has(role)));
    },
  };
  return {
    ...revoked,
    close: (): void => {
      clearInterval(sweep);
      stopping.abort();
    },
  };
};
