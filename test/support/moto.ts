import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createChild } from '../../tools/stack/child';
import type { Part } from '../../tools/stack/part';
import { freePort } from '../../tools/stack/ports';
import { motoProgram } from '../../tools/stack/program';

/** What answers for AWS on this machine: Secrets Manager and KMS, in memory, so that a restart forgets all of it. */
export interface Moto extends Pick<Part, 'start' | 'stop' | 'kill'> {
  readonly endpoint: string;
  /** For clients in this process. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** As the SDK finds region and credentials in other processes. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes its log. */
  readonly remove: () => Promise<void>;
}

const REGION = 'eu-west-1';
const CREDENTIALS = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'of-nobody' };

export const createMoto = async (): Promise<Moto> => {
  const folder = await mkdtemp(join(tmpdir(), 'meqenet-moto-'));
  const port = String(await freePort());
  const endpoint = `http://127.0.0.1:${port}`;
  const { start, stop, kill } = createChild({
    name: 'moto',
    command: motoProgram(),
    args: ['--host', '127.0.0.1', '--port', port],
    logFile: join(folder, 'moto.log'),
    // Nobody looks for it after this process.
    pidFile: { add: () => undefined, remove: () => undefined, close: () => undefined },
    isReady: () =>
      fetch(`${endpoint}/moto-api/data.json`).then(
        ({ ok }) => ok,
        () => false,
      ),
  });
  return {
    ...{ start, stop, kill, endpoint },
    client: { endpoint, region: REGION, credentials: CREDENTIALS },
    env: {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
