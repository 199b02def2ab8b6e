import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Pool } from 'pg';

import { ENCRYPTED_COLUMNS } from '../../src/repositories/encrypted-columns';
import { useStack } from '../support/stack';

let owner: Pool;
// Hooks run in the order in which they are registered: this one before the stack stops.
afterAll(() => owner.end());
const stack = useStack('postgres');
beforeAll(() => {
  owner = new Pool({ connectionString: stack.databaseOwnerUrl, max: 1 });
  owner.on('error', () => undefined);
});

it('every column of cipher texts is encrypted anew by a rotation, but those of audit events', async () => {
  const { rows } = await owner.query<{ place: string }>(
    `SELECT table_name || '.' || column_name AS place FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name LIKE '%ciphertext%'`,
  );
  const known = ENCRYPTED_COLUMNS.map(({ table, column }) => `${table}.${column}`);
  expect([...known, 'audit_events.origin_ciphertext'].sort()).toEqual(rows.map(({ place }) => place).sort());
});

it('the secret of an erased person is not brought back, by anybody', async () => {
  const id = crypto.randomUUID();
  await owner.query('INSERT INTO person_keys (person_id, secret, created_at) VALUES ($1, $2, now())', [
    id,
    Buffer.alloc(32, 7),
  ]);
  await owner.query('UPDATE person_keys SET secret = NULL, erased_at = now() WHERE person_id = $1', [id]);
  const secret = Buffer.alloc(32, 7);
  for (const [text, values] of [
    ['UPDATE person_keys SET secret = $2, erased_at = NULL WHERE person_id = $1', [id, secret]],
    ['UPDATE person_keys SET secret = $2 WHERE person_id = $1', [id, secret]],
    ['DELETE FROM person_keys WHERE person_id = $1', [id]],
  ] as const)
    await expect(owner.query(text, [...values])).rejects.toThrow(/not brought back|person_keys_erased_check/);
  const { rows } = await owner.query<{ secret: Buffer | null }>('SELECT secret FROM person_keys WHERE person_id = $1', [
    id,
  ]);
  expect(rows).toEqual([{ secret: null }]);
});
