import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startStack } from './stack/stack';

/** Runs `use` with the URL of an empty database that exists only for so long. */
export const withThrowawayPostgres = async <T>(use: (databaseUrl: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'meqenet-'));
  try {
    const stack = await startStack({ dataDir: folder, logDir: folder, ports: 'free', parts: ['postgres'] });
    try {
      return await use(stack.databaseOwnerUrl);
    } finally {
      await stack.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
