import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Part } from './part';
import type { PidFile } from './pid-file';

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly pidFile: PidFile;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Whether it answers yet; asked again until it does. */
  readonly isReady: () => Promise<boolean>;
  readonly readyTimeoutMs?: number;
  readonly stopSignal?: NodeJS.Signals;
  readonly stopTimeoutMs?: number;
  /** Told when it ends without having been asked to. */
  readonly onCrash?: (how: string) => void;
}

const READY_POLL_MS = 25;
const LOG_TAIL_LINES = 15;

/** The last lines of a log, for a message about what went wrong. */
export const logTail = (logFile: string): string =>
  readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

const describeEnd = (child: ChildProcess): string => child.signalCode ?? `exit code ${String(child.exitCode)}`;

/** A program run as a part: in a session of its own, so that Ctrl-C on the terminal reaches only the supervisor. */
export const createChild = (options: ChildOptions): Part => {
  const { name, logFile, pidFile, readyTimeoutMs = 60_000, stopSignal = 'SIGTERM', stopTimeoutMs = 15_000 } = options;
  let current: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();

  const launch = async (): Promise<ChildProcess> => {
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, 'a');
    const child = spawn(options.command, options.args, {
      detached: true,
      stdio: ['ignore', log, log],
      ...(options.env !== undefined && { env: options.env }),
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.uid !== undefined && { uid: options.uid }),
      ...(options.gid !== undefined && { gid: options.gid }),
    });
    closeSync(log);
    ended = new Promise((resolve) => {
      child.once('exit', () => {
        if (child.pid !== undefined) pidFile.remove(child.pid);
        resolve();
      });
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        reject(new Error(`${name} cannot be started: ${error.message}`));
      });
    });
    if (child.pid !== undefined) pidFile.add(name, child.pid);
    return child;
  };

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const child = current;
    current = undefined;
    if (child === undefined || hasEnded(child)) return ended;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  };

  const waitUntilReady = async (child: ChildProcess): Promise<void> => {
    const deadline = Date.now() + readyTimeoutMs;
    while (!(await options.isReady())) {
      if (hasEnded(child)) {
        throw new Error(`${name} ended with ${describeEnd(child)} before it was ready:\n${logTail(logFile)}`);
      }
      if (Date.now() > deadline) {
        throw new Error(`${name} was not ready within ${String(readyTimeoutMs / 1_000)} s:\n${logTail(logFile)}`);
      }
      await sleep(READY_POLL_MS);
    }
  };

  return {
    name,
    logFile,
    get pid() {
      return current?.pid;
    },
    start: async () => {
      if (current !== undefined && !hasEnded(current)) return;
      const child = await launch();
      current = child;
      try {
        await waitUntilReady(child);
      } catch (error) {
        await end('SIGKILL');
        throw error;
      }
      const reportCrash = (): void => {
        if (current === child) options.onCrash?.(describeEnd(child));
      };
      if (hasEnded(child)) reportCrash();
      else child.once('exit', reportCrash);
    },
    stop: () => end(stopSignal),
    kill: () => end('SIGKILL'),
  };
};
