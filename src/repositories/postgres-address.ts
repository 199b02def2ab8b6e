import { checkServerIdentity } from 'node:tls';

import type { ClientConfig } from 'pg';

import type { DatabaseConfig } from '../config/database.config';

/** Where PostgreSQL is, and how it proves that it is the one. */
export type PostgresAddress = Pick<DatabaseConfig, 'url' | 'tls'>;

/** What `pg` is told of an address. Without TLS it is told so: it would ask the environment otherwise. */
export const toConnectionOptions = ({ url, tls }: PostgresAddress): Pick<ClientConfig, 'connectionString' | 'ssl'> => {
  if (tls === undefined) return { connectionString: url, ssl: false };
  const { servername, ...ssl } = tls;
  return {
    connectionString: url,
    ssl: {
      ...ssl,
      // `pg` puts the host of the URL in the place of a server name.
      ...(servername !== undefined && {
        checkServerIdentity: (_host, certificate) => checkServerIdentity(servername, certificate),
      }),
    },
  };
};
