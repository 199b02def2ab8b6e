import type { EncryptedColumn } from './encrypted-columns';
import type { Sql } from './sql';

/** A value under an older key, and where it stands. */
export interface OldValue {
  /** The primary key, as text. */
  readonly key: string;
  readonly value: string;
  readonly rowId: string;
  readonly personId: string | null;
}

export interface ReencryptionRepository {
  /** Values of a column that are not under the key `activeId`, in the order of their rows, those of erased persons left out. */
  read(column: EncryptedColumn, activeId: string, after: string | null, limit: number): Promise<OldValue[]>;
  /**
   * Puts new values in the place of those that are still there. What a transaction holds is passed over: whoever holds it may
   * wait for another of the rows.
   *
   * @returns how many were replaced
   */
  replace(column: EncryptedColumn, values: readonly (OldValue & { readonly replacement: string })[]): Promise<number>;
  /** How many values of a column are under one of these keys, those of erased persons left out. */
  count(column: EncryptedColumn, keyIds: readonly string[]): Promise<number>;
}

/** Nobody reads the values of an erased person, so no key is kept for them. */
const notErased = ({ personId }: EncryptedColumn): string =>
  personId === null
    ? ''
    : `AND NOT EXISTS (SELECT 1 FROM person_keys p WHERE p.person_id = t.${personId} AND p.erased_at IS NOT NULL)`;

const personOf = ({ personId }: EncryptedColumn): string => (personId === null ? 'NULL' : `t.${personId}::text`);

/** Names and expressions come from `ENCRYPTED_COLUMNS` alone. */
const statements = (of: EncryptedColumn) => {
  const { table, column, key, keyType, rowId } = of;
  const place = `${table}.${column}`;
  return {
    read: {
      name: `reencryption/read/${place}`,
      text: `
        SELECT t.${key}::text AS key, t.${column} AS value, ${rowId} AS "rowId", ${personOf(of)} AS "personId"
        FROM ${table} t
        WHERE t.${column} IS NOT NULL AND split_part(t.${column}, ':', 2) <> $1
          AND ($2::text IS NULL OR t.${key} > $2::text::${keyType}) ${notErased(of)}
        ORDER BY t.${key} LIMIT $3`,
    },
    replace: {
      name: `reencryption/replace/${place}`,
      text: `
        WITH made AS (
          SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS made(key, value, replacement)
        ), held AS (
          SELECT t.${key} AS key, made.replacement FROM ${table} t
          JOIN made ON t.${key} = made.key::${keyType} AND t.${column} = made.value
          FOR NO KEY UPDATE OF t SKIP LOCKED
        )
        UPDATE ${table} t SET ${column} = held.replacement FROM held WHERE t.${key} = held.key RETURNING 1 AS replaced`,
    },
    count: {
      name: `reencryption/count/${place}`,
      text: `
        SELECT count(*)::int AS count FROM ${table} t
        WHERE split_part(t.${column}, ':', 2) = ANY($1::text[]) ${notErased(of)}`,
    },
  };
};

export const createReencryptionRepository = (sql: Sql): ReencryptionRepository => ({
  read: (column, activeId, after, limit) => sql<OldValue>(statements(column).read, [activeId, after, limit]),
  async replace(column, values) {
    const columns = [values.map(({ key }) => key), values.map(({ value }) => value), values.map((v) => v.replacement)];
    return (await sql(statements(column).replace, columns)).length;
  },
  async count(column, keyIds) {
    const [row] = await sql<{ count: number }>(statements(column).count, [keyIds]);
    return row?.count ?? 0;
  },
});
