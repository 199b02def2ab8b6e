import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { Client, Connection } from '@temporalio/client';

import { loadTemporalAddress } from '../src/config/load';
import { toAddress } from '../src/temporal/address';
import { triggerRotation } from '../src/temporal/schedules';

import { STACK_FILE } from './project';

const USAGE = `npm run keys:rotate
  Starts a rotation of the keys that sign access tokens, unless one is under way, and leaves: a worker does the rest. Asks the
  Temporal of TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, or else the one of the running embedded stack.`;

const temporalConfig = () => {
  if (process.env['TEMPORAL_ADDRESS']) return loadTemporalAddress();
  const { temporal } = JSON.parse(readFileSync(STACK_FILE, 'utf8')) as { temporal: string };
  return loadTemporalAddress({ ...process.env, TEMPORAL_ADDRESS: temporal });
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { help: { type: 'boolean' } } });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const config = temporalConfig();
  const connection = await Connection.connect(toAddress(config));
  try {
    const client = new Client({ connection, namespace: config.namespace });
    const running = await triggerRotation(client);
    if (running.length === 0) throw new Error('Temporal took the order, but no rotation is to be seen: look in its UI');
    console.log(`The rotation runs as ${running.join(', ')}`);
  } finally {
    await connection.close();
  }
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
