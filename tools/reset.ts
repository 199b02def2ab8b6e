import { rmSync } from 'node:fs';

import { DATA_DIR, LOG_DIR, SECRETS_FILE, STACK_FILE, STATE_DIR } from './project';
import { runningProcesses } from './stack/pid-file';

/** `npm run reset`: forgets everything that the embedded stack has kept. What set-up installed stays. */
const running = runningProcesses(DATA_DIR);
if (running.length > 0) {
  const list = running.map(({ name, pid }) => `${name} (${String(pid)})`).join(', ');
  console.error(
    `The stack still runs: ${list}. Stop it with Ctrl-C first; the next start ends what a killed one left.`,
  );
  process.exitCode = 1;
} else {
  for (const path of [DATA_DIR, LOG_DIR, SECRETS_FILE, STACK_FILE]) rmSync(path, { recursive: true, force: true });
  console.log(`Removed data, logs and secrets from ${STATE_DIR}.`);
}
