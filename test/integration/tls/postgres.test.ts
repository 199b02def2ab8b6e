import { beforeAll, describe, expect, it } from '@jest/globals';

import { loadConfig } from '../../../src/config/load';
import { createDatabase, type Database, pingDatabase } from '../../../src/repositories/prisma-client';
import { MIGRATIONS_DIR } from '../../../tools/project';
import { migrate } from '../../../tools/stack/migrate';
import { NOT_TRUSTED } from '../../support/certificates';
import { useMutualTls } from '../../support/mutual-tls';
import { encryptPostgres } from '../../support/postgres-tls';
import { useEmptyStack } from '../../support/stack';

const NAME = 'postgres.test';
const stack = useEmptyStack('postgres');
const tls = useMutualTls();

beforeAll(async () => {
  await encryptPostgres(stack, await tls.authority.issue(NAME), tls.authority.cert);
});

const identity = () => ({ DATABASE_TLS_CERTIFICATE: tls.client.cert, DATABASE_TLS_KEY: tls.client.key });
const right = () => ({
  DATABASE_TLS: 'true',
  DATABASE_TLS_CA: tls.authority.cert,
  DATABASE_TLS_SERVER_NAME: NAME,
  ...identity(),
});

const using = async <T>(env: Record<string, string>, work: (database: Database) => Promise<T>): Promise<T> => {
  const database = createDatabase(loadConfig(['database'], { ...stack.env, ...env }).database);
  try {
    return await work(database);
  } finally {
    await database.$disconnect();
  }
};
const refusal = (env: Record<string, string>): Promise<unknown> =>
  using(env, pingDatabase).then(
    () => 'no refusal',
    (error: unknown) => error,
  );

describe('PostgreSQL over TLS', () => {
  it('is migrated and asked, by SQL and by Prisma, with the right authority and certificate', async () => {
    const { database: owner } = loadConfig(['database'], {
      ...{ ...stack.env, ...right(), DATABASE_URL: stack.databaseOwnerUrl },
    });
    const applied = await migrate(owner.url, MIGRATIONS_DIR, stack.env['DATABASE_URL'] ?? '', owner.tls);
    expect(applied.length).toBeGreaterThan(10);
    await using(right(), async ({ sql, prisma }) => {
      const rows = await sql<{ ssl: boolean; version: string; client_dn: string }>(
        { name: 'tls', text: 'SELECT ssl, version, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()' },
        [],
      );
      expect(rows).toEqual([{ ssl: true, version: expect.stringMatching(/^TLSv1\.[23]$/), client_dn: '/CN=meqenet' }]);
      expect(await prisma.user.count()).toBe(0);
    });
  });

  it('is reached the same by sslmode in the URL, which verifies all', async () => {
    const { DATABASE_TLS: _, ...rest } = right();
    const url = (mode: string) => `${stack.env['DATABASE_URL'] ?? ''}?sslmode=${mode}`;
    for (const mode of ['verify-full', 'require']) {
      await using({ ...rest, DATABASE_URL: url(mode) }, pingDatabase);
      const { DATABASE_TLS_SERVER_NAME: _name, ...unnamed } = rest;
      expect(await refusal({ ...unnamed, DATABASE_URL: url(mode) })).toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
    }
  });

  it('is not talked to when a stranger vouches for it, or it has another name', async () => {
    const { DATABASE_TLS_SERVER_NAME: _, ...unnamed } = right();
    const refused = { name: 'DatabaseUnavailableError' };
    expect(await refusal({ ...right(), DATABASE_TLS_CA: tls.stranger.cert })).toMatchObject({
      ...refused,
      code: expect.stringMatching(NOT_TRUSTED),
    });
    expect(await refusal({ DATABASE_TLS: 'true', DATABASE_TLS_SERVER_NAME: NAME, ...identity() })).toMatchObject(
      refused,
    );
    for (const env of [unnamed, { ...right(), DATABASE_TLS_SERVER_NAME: 'redis.test' }])
      expect(await refusal(env)).toMatchObject({ ...refused, code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    const { database: other } = loadConfig(['database'], {
      ...{ ...stack.env, ...right(), DATABASE_TLS_CA: tls.stranger.cert },
    });
    await expect(migrate(stack.databaseOwnerUrl, MIGRATIONS_DIR, '', other.tls)).rejects.toMatchObject({
      code: expect.stringMatching(NOT_TRUSTED),
    });
  });

  it('turns away who shows no certificate, or comes without TLS', async () => {
    const { DATABASE_TLS_CERTIFICATE: _, DATABASE_TLS_KEY: __, ...anonymous } = right();
    const invalidAuthorization = { code: '28000' };
    expect(await refusal(anonymous)).toMatchObject(invalidAuthorization);
    expect(await refusal({})).toMatchObject(invalidAuthorization);
  });
});
