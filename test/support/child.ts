import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { PROJECT_ROOT } from '../../tools/project';

export interface TestChild<Message> {
  readonly process: ChildProcess;
  /** What it has said so far. */
  readonly messages: readonly Message[];
  /** Ends it as a power cut would. */
  readonly kill: () => Promise<void>;
}

/** Runs a TypeScript file of `test/integration/children` as a process of its own, which talks through `process.send`. */
export const startChild = <Message>(file: string, env: Readonly<Record<string, string>>): TestChild<Message> => {
  const child = fork(join(PROJECT_ROOT, 'test', 'integration', 'children', file), {
    cwd: PROJECT_ROOT,
    execArgv: ['-r', join(PROJECT_ROOT, 'tools', 'register-swc.cjs')],
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const messages: Message[] = [];
  child.on('message', (message) => messages.push(message as Message));
  return {
    process: child,
    messages,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
};
