import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll } from '@jest/globals';

import { MIGRATIONS_DIR } from '../../tools/project';
import { migrate } from '../../tools/stack/migrate';
import { type PartName, type Stack, startStack } from '../../tools/stack/stack';

const START_TIMEOUT_MS = 60_000;

const useParts = (parts: readonly PartName[], prepare: (stack: Stack) => Promise<unknown>): Stack => {
  const stack = {} as Stack;
  let starting: Promise<Stack> | undefined;
  let folder = '';

  const start = async (): Promise<Stack> => {
    folder = await mkdtemp(join(tmpdir(), 'meqenet-test-'));
    const started = await startStack({
      dataDir: join(folder, 'data'),
      logDir: join(folder, 'logs'),
      ports: 'free',
      parts,
    });
    await prepare(started);
    return started;
  };
  beforeAll(async () => {
    starting = start();
    Object.assign(stack, await starting);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await starting?.then((started) => started.stop());
    await rm(folder, { recursive: true, force: true });
  }, START_TIMEOUT_MS);
  return stack;
};

/** Only the named parts, for tests that use pieces of the service without its processes. The database is migrated. */
export const useStack = (...parts: readonly PartName[]): Stack =>
  useParts(parts, async ({ postgres }) => {
    if (postgres !== undefined) await migrate(postgres.ownerUrl, MIGRATIONS_DIR, postgres.url);
  });

/** The same with a database that has no tables yet. */
export const useEmptyStack = (...parts: readonly PartName[]): Stack => useParts(parts, () => Promise.resolve());
