import type { Auth } from './auth';
import type { OnEvent } from './events';
import type { Revocation, RolesChange } from './source';

export interface RevocationListOptions {
  /** An entry is kept for so long: the longest life of a token and the tolerance of clocks. */
  readonly keepMs: number;
  /** Some 100 bytes each. */
  readonly maxEntries: number;
}

/** Sessions that have ended and roles that were lost, for as long as a token that says otherwise may be about. */
export interface RevocationList {
  readonly add: (revocation: Revocation | RolesChange) => void;
  readonly includes: (auth: Pick<Auth, 'sessionId' | 'userId' | 'roles'>) => boolean;
  readonly size: () => number;
  /** False after something had to be dropped early, until it would have been due. */
  readonly isComplete: () => boolean;
}

/**
 * Times are those of this process's own steady clock, from when an entry came: no clock of another machine matters, and an
 * entry is kept rather longer than needed.
 */
export const createRevocationList = (
  { keepMs, maxEntries }: RevocationListOptions,
  onEvent: OnEvent,
  now: () => number = () => performance.now(),
): RevocationList => {
  /** By id of a session, which has ended, or of an account, with what it may claim; the oldest first. */
  const entries = new Map<string, { readonly due: number; readonly roles?: ReadonlySet<string> }>();
  let incompleteUntil = -Infinity;

  const dropDue = (): void => {
    for (const [id, { due }] of entries) {
      if (due > now()) return;
      entries.delete(id);
    }
  };
  const find = (id: string) => {
    const entry = entries.get(id);
    return entry !== undefined && entry.due > now() ? entry : undefined;
  };
  const dropOldest = (): void => {
    const oldest = entries.entries().next().value;
    if (oldest === undefined) return;
    entries.delete(oldest[0]);
    incompleteUntil = oldest[1].due;
    onEvent({ type: 'list-full' });
  };

  return {
    add: (revocation) => {
      const id = 'sessionId' in revocation ? revocation.sessionId : revocation.userId;
      dropDue();
      entries.delete(id);
      if (entries.size >= maxEntries) dropOldest();
      const due = now() + keepMs;
      entries.set(id, 'roles' in revocation ? { due, roles: new Set(revocation.roles) } : { due });
    },
    includes: ({ sessionId, userId, roles }) => {
      const claimable = find(userId)?.roles;
      return find(sessionId) !== undefined || (claimable !== undefined && !roles.every((role) => claimable.has(role)));
    },
    size: () => entries.size,
    isComplete: () => now() >= incompleteUntil,
  };
};
