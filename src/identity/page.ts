import { AppError } from '../contracts/errors';
import type { Cursors } from '../crypto/cursor';

interface PageRequest {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/**
 * One page of a list and the cursor of the next. A cursor is good for the list and the filters that it was made with.
 *
 * @param load entries after `position`; one more than asked for tells that there is a next page
 * @throws {AppError} `validation_failed`
 */
export const readPage = async <T>(
  cursors: Cursors,
  list: string,
  request: PageRequest,
  load: (position: string | undefined, limit: number) => Promise<readonly T[]>,
  positionOf: (entry: T) => string,
): Promise<{ entries: readonly T[]; nextCursor: string | null }> => {
  const { cursor, limit, ...filters } = request;
  const place = JSON.stringify([list, Object.entries(filters).sort()]);
  const position = cursor === undefined ? undefined : cursors.decode(place, cursor);
  if (cursor !== undefined && position === undefined) {
    const error = { path: 'cursor', code: 'invalid_cursor', message: 'is not a cursor of this list' } as const;
    throw new AppError('validation_failed', { errors: [error] });
  }
  const found = await load(position, limit + 1);
  const entries = found.slice(0, limit);
  const last = found.length > limit ? entries.at(-1) : undefined;
  return { entries, nextCursor: last === undefined ? null : cursors.encode(place, positionOf(last)) };
};
