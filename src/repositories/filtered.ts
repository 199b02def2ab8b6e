import type { Statement } from './sql';

/** A condition that counts where its value is given; `at` is the placeholder of the value. */
export type Filter = readonly [name: string, condition: (at: string) => string, value: unknown];

/**
 * The newest rows that pass the filters: a statement, and so a plan, for each set of filters, since one for all of them
 * would not use their indexes.
 *
 * @param select up to the table, such as `SELECT id FROM users`
 * @param key the column that orders; indexed
 */
export const newestOf = (
  name: string,
  { select, key }: { readonly select: string; readonly key: string },
  filters: readonly Filter[],
  limit: number,
): { readonly statement: Statement; readonly values: readonly unknown[] } => {
  const used = filters.filter(([, , value]) => value !== undefined);
  const conditions = used.map(([, condition], index) => condition(`$${String(index + 2)}`));
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  return {
    statement: {
      name: [name, ...used.map(([filter]) => filter)].join('/'),
      text: `${select} ${where} ORDER BY ${key} DESC LIMIT $1`,
    },
    values: [limit, ...used.map(([, , value]) => value)],
  };
};
