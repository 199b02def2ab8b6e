import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { Client, Connection } from '@temporalio/client';

import { loadConfig } from '../src/config/load';
import { buildProtection } from '../src/container/protection';
import { createDatabase } from '../src/repositories/prisma-client';
import { toAddress } from '../src/temporal/address';
import { createTemporalConnection } from '../src/temporal/connection';
import { orderDataKeyRotation, triggerRotation } from '../src/temporal/schedules';

import { STACK_FILE } from './project';
import { loadServiceConfig } from './service-environment';

const USAGE = `npm run keys:rotate [-- data]
  Starts a rotation of the keys that sign access tokens, or with "data" of all that encrypt what is stored, unless one is under
  way, and leaves: a worker does the rest. Asks the Temporal of TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE (for "data" with the
  database and the keys of the environment), or else the one of the running embedded stack.`;

/** The order itself is encrypted for Temporal, so it takes the keys of the service. */
const rotateDataKeys = async (): Promise<string> => {
  const config = await loadServiceConfig();
  const database = createDatabase(config.database);
  const temporal = createTemporalConnection(config.temporal, buildProtection(config, database).dataKeys);
  try {
    return await orderDataKeyRotation(temporal.client);
  } finally {
    await temporal.close();
    await database.$disconnect();
  }
};

const temporalConfig = () => {
  if (process.env['TEMPORAL_ADDRESS']) return loadConfig(['temporal']).temporal;
  const { temporal } = JSON.parse(readFileSync(STACK_FILE, 'utf8')) as { temporal: string };
  return loadConfig(['temporal'], { ...process.env, TEMPORAL_ADDRESS: temporal }).temporal;
};

const rotateSigningKeys = async (): Promise<string> => {
  const config = temporalConfig();
  const connection = await Connection.connect(toAddress(config));
  try {
    const client = new Client({ connection, namespace: config.namespace });
    const running = await triggerRotation(client);
    if (running.length === 0) throw new Error('Temporal took the order, but no rotation is to be seen: look in its UI');
    return running.join(', ');
  } finally {
    await connection.close();
  }
};

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({ options: { help: { type: 'boolean' } }, allowPositionals: true });
  const [kind, ...others] = positionals;
  if (others.length > 0 || (kind !== undefined && kind !== 'data')) throw new Error(USAGE);
  if (values.help) {
    console.log(USAGE);
    return;
  }
  console.log(`The rotation runs as ${await (kind === 'data' ? rotateDataKeys() : rotateSigningKeys())}`);
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
