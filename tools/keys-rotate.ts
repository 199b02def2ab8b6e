import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { Client, Connection } from '@temporalio/client';

import { triggerRotation } from '../src/temporal/schedules';

import { STACK_FILE } from './project';

const USAGE = `npm run keys:rotate
  Starts a rotation of the keys that sign access tokens, unless one is under way, and leaves: a worker does the rest. Asks the
  Temporal of TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, or else the one of the running embedded stack.`;

const temporalAddress = (): string => {
  const address = process.env['TEMPORAL_ADDRESS'];
  if (address) return address;
  return (JSON.parse(readFileSync(STACK_FILE, 'utf8')) as { temporal: string }).temporal;
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { help: { type: 'boolean' } } });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const connection = await Connection.connect({ address: temporalAddress() });
  try {
    const client = new Client({ connection, namespace: process.env['TEMPORAL_NAMESPACE'] ?? 'default' });
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
