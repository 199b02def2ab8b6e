import { mkdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';

import { createChild } from './child';
import type { Part } from './part';
import type { PidFile } from './pid-file';
import { valkeyProgram } from './program';

export interface ValkeyOptions {
  readonly dataDir: string;
  readonly logDir: string;
  readonly port: number;
  readonly pidFile: PidFile;
  readonly onCrash?: (how: string) => void;
}

/** One PING; a server that still loads its data answers with an error instead. */
const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    const finish = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1_000, () => {
      finish(false);
    });
    socket.once('error', () => {
      finish(false);
    });
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      finish(data.toString().startsWith('+PONG'));
    });
  });

/** Valkey (or the machine's own Redis) on loopback, keeping what it is told as BullMQ needs it. */
export const createValkey = (options: ValkeyOptions): Part => {
  const folder = join(options.dataDir, 'valkey');
  mkdirSync(folder, { recursive: true });
  return createChild({
    name: 'valkey',
    command: valkeyProgram(),
    args: [
      ...['--bind', '127.0.0.1', '--port', String(options.port), '--dir', folder],
      ...['--appendonly', 'yes', '--maxmemory-policy', 'noeviction', '--save', '', '--daemonize', 'no'],
    ],
    logFile: join(options.logDir, 'valkey.log'),
    pidFile: options.pidFile,
    isReady: () => answers(options.port),
    ...(options.onCrash !== undefined && { onCrash: options.onCrash }),
  });
};
