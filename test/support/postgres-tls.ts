import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Client } from 'pg';

import type { Stack } from '../../tools/stack/stack';

import type { Issued } from './certificates';
import { eventually } from './eventually';

/** The service's database takes TLS or nothing from now on, and only from clients with a certificate of `clientCa`. */
export const encryptPostgres = async (stack: Stack, server: Issued, clientCa: string): Promise<void> => {
  const folder = join(dirname(dirname(stack.postgres?.logFile ?? '')), 'data', 'postgres');
  const { uid, gid } = statSync(folder);
  const put = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    chownSync(join(folder, name), uid, gid);
  };
  put('server.crt', server.cert);
  put('server.key', server.key);
  put('clients.crt', clientCa);
  const rules = readFileSync(join(folder, 'pg_hba.conf'), 'utf8');
  put(
    'pg_hba.conf',
    `hostssl meqenet_auth all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\nhostnossl meqenet_auth all all reject\n${rules}`,
  );
  const admin = new Client({ connectionString: stack.postgres?.superuserUrl });
  await admin.connect();
  const settings = { ssl: 'on', ssl_ca_file: 'clients.crt', ssl_min_protocol_version: 'TLSv1.2' };
  for (const [name, value] of Object.entries(settings)) await admin.query(`ALTER SYSTEM SET ${name} = '${value}'`);
  await admin.query('SELECT pg_reload_conf()');
  await eventually('TLS', async () => (await admin.query('SHOW ssl')).rows[0]?.ssl === 'on');
  await admin.end();
};
