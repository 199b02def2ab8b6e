import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { MIGRATIONS_DIR } from '../../tools/project';
import { migrate } from '../../tools/stack/migrate';
import { startStack } from '../../tools/stack/stack';

const run = promisify(execFile);

/** Names the folder that a run of Jest has for it: global-setup.js. */
const FOLDER = 'MEQENET_TEST_TEMPLATE';
/** Goes with the data: the database knows its passwords. Every other secret is each stack's own. */
const KEPT_SECRETS = 'POSTGRES_';

const makeTemplate = async (folder: string): Promise<void> => {
  const dataDir = join(folder, 'data');
  const stack = await startStack({ dataDir, logDir: folder, ports: 'free', parts: ['postgres', 'temporal'] });
  try {
    await migrate(stack.databaseOwnerUrl, MIGRATIONS_DIR, stack.env['DATABASE_URL'] ?? '');
  } finally {
    await stack.stop();
  }
  const secrets = join(dataDir, 'secrets.env');
  const lines = (await readFile(secrets, 'utf8')).split('\n').filter((line) => line.startsWith(KEPT_SECRETS));
  await writeFile(secrets, `${lines.join('\n')}\n`);
};

/** Whoever needs it first makes it; of two at once, one is first. */
const template = async (folder: string): Promise<string> => {
  const [made, making] = [join(folder, 'made'), join(folder, `making-${String(process.pid)}`)];
  if (existsSync(made)) return made;
  await makeTemplate(making);
  try {
    await rename(making, made);
  } catch (error) {
    if (!existsSync(made)) throw error;
    await rm(making, { recursive: true });
  }
  return made;
};

/**
 * Fills a data folder as a stack leaves it that has run before: with a migrated database, and a Temporal that knows its search
 * attributes. To make these anew for each of a hundred stacks takes longer than to copy them.
 *
 * @returns whether it did: outside of Jest it does not
 */
export const fillFromTemplate = async (dataDir: string): Promise<boolean> => {
  const folder = process.env[FOLDER];
  if (folder === undefined) return false;
  await mkdir(dataDir, { recursive: true });
  // The database belongs to an account of its own where root runs the tests: `fs.cp` would not keep that.
  // `join` would take the dot away, with which `cp` copies what is in the folder.
  await run('cp', ['-a', `${join(await template(folder), 'data')}/.`, dataDir]);
  return true;
};
