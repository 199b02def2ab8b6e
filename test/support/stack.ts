import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll } from '@jest/globals';

import { type PartName, type Stack, startStack } from '../../tools/stack/stack';

import { fillFromTemplate } from './data-template';

const START_TIMEOUT_MS = 60_000;

/** @param fill is given the data folder before the parts are started */
const useParts = (parts: readonly PartName[], fill: (dataDir: string) => Promise<unknown>): Stack => {
  const stack = {} as Stack;
  let starting: Promise<Stack> | undefined;
  let folder = '';

  const start = async (): Promise<Stack> => {
    folder = await mkdtemp(join(tmpdir(), 'meqenet-test-'));
    const dataDir = join(folder, 'data');
    await fill(dataDir);
    return startStack({ dataDir, logDir: join(folder, 'logs'), ports: 'free', parts });
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
  useParts(parts, parts.includes('postgres') ? fillFromTemplate : () => Promise.resolve());

/** The same with a database that has no tables yet. */
export const useEmptyStack = (...parts: readonly PartName[]): Stack => useParts(parts, () => Promise.resolve());
