import { join } from 'node:path';

import { DIST_DIR, PROJECT_ROOT } from '../project';

import { createChild } from './child';
import { withOwnSecrets } from './own-secrets';
import type { Part } from './part';
import type { PidFile } from './pid-file';

export interface QueueBoardOptions {
  readonly port: number;
  /** Where Redis is, and the prefix of the queue. */
  readonly env: Readonly<Record<string, string>>;
  readonly logDir: string;
  readonly pidFile: PidFile;
  readonly onCrash?: (part: Part, how: string) => void;
}

const answers = async (port: number): Promise<boolean> => {
  try {
    return (await fetch(`http://127.0.0.1:${String(port)}/`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
};

/** Bull Board, for looking at jobs in a browser. */
export const createQueueBoard = ({ port, env, logDir, pidFile, onCrash }: QueueBoardOptions): Part => {
  const part: Part = createChild({
    name: 'queue board',
    command: process.execPath,
    args: [join(DIST_DIR, 'tools', 'queue-board.js'), String(port)],
    cwd: PROJECT_ROOT,
    env: withOwnSecrets({ ...process.env, ...env }, ['redis']),
    logFile: join(logDir, 'queue-board.log'),
    pidFile,
    isReady: () => answers(port),
    onCrash: (how) => onCrash?.(part, how),
  });
  return part;
};
