import { createBatch } from './batch';
import { DatabaseUnavailableError, type Sql } from './sql';

/** A person's secret; null for one who was erased. */
export interface PersonKeyRow {
  readonly secret: Buffer | null;
}

export interface PersonKeyRepository {
  find(personId: string): Promise<PersonKeyRow | undefined>;
  /** The person's secret, which is `secret` where there was none. Committed when it resolves. */
  ensure(personId: string, secret: Buffer): Promise<PersonKeyRow | undefined>;
  /** Stores the secret of somebody new. @returns false where the database is away */
  tryToAdd(personId: string, secret: Buffer): Promise<boolean>;
}

type Row = PersonKeyRow & { readonly id: string };

const FIND = {
  name: 'person-key/find',
  text: 'SELECT person_id AS id, secret FROM person_keys WHERE person_id = ANY($1::uuid[])',
};
const ENSURE = {
  name: 'person-key/ensure',
  text: `
    INSERT INTO person_keys (person_id, secret, created_at)
    SELECT person_id, secret, $3 FROM unnest($1::uuid[], $2::bytea[]) AS made(person_id, secret)
    ON CONFLICT (person_id) DO NOTHING`,
};
const DESTROY = {
  name: 'person-key/destroy',
  text: `
    INSERT INTO person_keys (person_id, secret, created_at, erased_at) VALUES ($1, NULL, $2, $2)
    ON CONFLICT (person_id) DO UPDATE SET secret = NULL, erased_at = COALESCE(person_keys.erased_at, EXCLUDED.erased_at)`,
};
/** @param sql of the connections for keys: a transaction may wait for a key, never the other way round */
export const createPersonKeyRepository = (sql: Sql): PersonKeyRepository => {
  const find = createBatch(async (ids) => new Map((await sql<Row>(FIND, [ids])).map((row) => [row.id, row])));
  const secrets = new Map<string, Buffer>();
  const make = createBatch(async (ids) => {
    const made = ids.map((id) => secrets.get(id));
    for (const id of ids) secrets.delete(id);
    await sql(ENSURE, [ids, made, new Date()]);
    return new Map<string, never>();
  });

  const add = async (personId: string, secret: Buffer): Promise<void> => {
    secrets.set(personId, secret);
    await make(personId);
  };

  return {
    find,
    async tryToAdd(personId, secret) {
      try {
        await add(personId, secret);
        return true;
      } catch (error) {
        if (error instanceof DatabaseUnavailableError) return false;
        throw error;
      }
    },
    async ensure(personId, secret) {
      const known = await find(personId);
      if (known !== undefined) return known;
      await add(personId, secret);
      // Whoever was first: their secret is the one.
      return find(personId);
    },
  };
};

/**
 * Destroys a person's secret for good: what is encrypted for them is noise from then on, and they never get another. A
 * tombstone stays, so that a restored key store cannot bring them back.
 */
export const destroyPersonKey = async (sql: Sql, personId: string): Promise<void> => {
  await sql(DESTROY, [personId, new Date()]);
};
