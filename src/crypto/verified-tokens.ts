import { hash } from 'node:crypto';

interface Entry<Claims> {
  readonly claims: Claims;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Tokens whose signature has been checked by this process, by their hash, until they expire: a signature does not become
 * false. That the session still lives is asked of the database every time.
 *
 * @param capacity beyond which the one that was added first goes
 */
export const createVerifiedTokens = <Claims>(capacity: number, now: () => number = Date.now) => {
  const entries = new Map<string, Entry<Claims>>();
  const keyOf = (token: string): string => hash('sha256', token, 'base64');

  return {
    find: (token: string): Claims | undefined => {
      const entry = entries.get(keyOf(token));
      return entry !== undefined && entry.expiresAt > now() ? entry.claims : undefined;
    },
    add: (token: string, claims: Claims, expiresAt: number): void => {
      entries.set(keyOf(token), { claims, expiresAt });
      const oldest = entries.keys().next().value;
      if (entries.size > capacity && oldest !== undefined) entries.delete(oldest);
    },
  };
};
