import { z } from 'zod';

import { duration, flag, integer, reloadable, secretUrl } from './fields';
import { clientTlsFields, toClientTls } from './tls.config';

export const databaseEnv = z.object({
  DATABASE_URL: reloadable(
    secretUrl(
      ['postgresql', 'postgres'],
      'PostgreSQL connection; a new one is used by every new connection. sslmode=verify-full in it is the same as DATABASE_TLS',
      'postgresql://meqenet:<password>@localhost:5432/meqenet_auth',
    ),
  ),
  DATABASE_TLS: flag(false, 'TLS to PostgreSQL, whose certificate must be valid (verify-full)'),
  ...clientTlsFields('DATABASE', 'PostgreSQL'),
  DATABASE_POOL_SIZE: integer(10, 1, 200, 'Connections that one process keeps at most'),
  DATABASE_CONNECT_TIMEOUT: duration('3s', 'How long to wait for a connection'),
  DATABASE_QUERY_TIMEOUT: duration('5s', 'Longest time for one statement'),
});

/** What `libpq` calls by these names verifies less; here every one of them verifies all. */
const TLS_MODES = ['require', 'verify-ca', 'verify-full'];
/** The driver would let them win over the variables, and some of them switch the verification off. */
const TLS_PARAMETERS = ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'uselibpqcompat'];

interface Chosen {
  readonly DATABASE_URL: string;
  readonly DATABASE_TLS: boolean;
}

/** Whether the connection is encrypted, by the flag or by the URL. */
export const hasDatabaseTls = ({ DATABASE_URL, DATABASE_TLS }: Chosen): boolean =>
  DATABASE_TLS || TLS_MODES.includes(new URL(DATABASE_URL).searchParams.get('sslmode') ?? '');

/** The URL without what it says of TLS, which is said apart. */
const withoutTls = (text: string): string => {
  const url = new URL(text);
  if (!TLS_PARAMETERS.some((name) => url.searchParams.has(name))) return text;
  for (const name of TLS_PARAMETERS) url.searchParams.delete(name);
  return url.href;
};

/** What is wrong with the TLS of the URL: what accepts any server, or is said elsewhere. */
export const databaseTlsProblems = (values: Readonly<Record<string, string>>): string[] => {
  const { DATABASE_URL, DATABASE_TLS } = values;
  if (DATABASE_URL === undefined || !URL.canParse(DATABASE_URL)) return [];
  const { searchParams } = new URL(DATABASE_URL);
  const mode = searchParams.get('sslmode');
  const foreign = TLS_PARAMETERS.filter((name) => name !== 'sslmode' && searchParams.has(name));
  return [
    ...foreign.map((name) => `DATABASE_URL: has ${name}; use DATABASE_TLS and the variables beside it`),
    ...(mode !== null && ![...TLS_MODES, 'disable'].includes(mode)
      ? ['DATABASE_URL: sslmode must be verify-full or disable; the others do without TLS or accept any server']
      : []),
    ...(mode === 'disable' && DATABASE_TLS === 'true'
      ? ['DATABASE_URL: has sslmode=disable although DATABASE_TLS is true']
      : []),
  ];
};

/** PostgreSQL. Times are milliseconds. */
export const toDatabaseConfig = (env: z.output<typeof databaseEnv>) => ({
  url: withoutTls(env.DATABASE_URL),
  ...(hasDatabaseTls(env) && { tls: toClientTls('DATABASE', env) }),
  poolSize: env.DATABASE_POOL_SIZE,
  connectTimeoutMs: env.DATABASE_CONNECT_TIMEOUT,
  queryTimeoutMs: env.DATABASE_QUERY_TIMEOUT,
});
export type DatabaseConfig = ReturnType<typeof toDatabaseConfig>;
