import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { PROJECT_ROOT } from '../project';

import { createChild } from './child';
import type { Part } from './part';
import type { PidFile } from './pid-file';

/** The package exports no way to resolve its script from CommonJS. */
const SCRIPT = join(PROJECT_ROOT, 'node_modules', 'maildev', 'dist', 'bin', 'maildev.js');

export interface MailOptions {
  readonly dataDir: string;
  readonly logDir: string;
  readonly smtpPort: number;
  readonly webPort: number;
  readonly pidFile: PidFile;
  readonly onCrash?: (how: string) => void;
}

const answers = async (port: number): Promise<boolean> => {
  try {
    return (await fetch(`http://127.0.0.1:${String(port)}/api/email`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
};

/** A mail server that delivers nothing and shows what it was given. */
export const createMail = (options: MailOptions): Part => {
  const folder = join(options.dataDir, 'mail');
  mkdirSync(folder, { recursive: true });
  return createChild({
    name: 'mail',
    // Node itself, since the package's wrapper does not pass SIGTERM on.
    command: process.execPath,
    args: [
      SCRIPT,
      ...['--ip', '127.0.0.1', '--smtp', String(options.smtpPort)],
      ...['--web-ip', '127.0.0.1', '--web', String(options.webPort), '--mail-directory', folder],
    ],
    // It looks for a configuration file in the folder that it is started in.
    cwd: folder,
    logFile: join(options.logDir, 'mail.log'),
    pidFile: options.pidFile,
    isReady: () => answers(options.webPort),
    ...(options.onCrash !== undefined && { onCrash: options.onCrash }),
  });
};
