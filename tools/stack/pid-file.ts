import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import { processStartTime } from './process-table';

const entries = z.array(z.object({ name: z.string(), pid: z.number().int().positive(), startTime: z.string() }));
type Entry = z.infer<typeof entries>[number];

/** The name under which the process that watches over the others is listed. */
const SUPERVISOR = 'supervisor';
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 50;

/** Lists the processes that a stack started, so that the next start can end what a killed supervisor left behind. */
export interface PidFile {
  readonly add: (name: string, pid: number) => void;
  readonly remove: (pid: number) => void;
  /** This process no longer watches over the stack. */
  readonly close: () => void;
}

const fileIn = (dataDir: string): string => join(dataDir, 'stack.pids');

const runs = (entry: Entry): boolean => processStartTime(entry.pid) === entry.startTime;

/** Those of a stack's processes that run at this moment, in the order in which they were started. */
export const runningProcesses = (dataDir: string): Entry[] => {
  try {
    return entries.parse(JSON.parse(readFileSync(fileIn(dataDir), 'utf8'))).filter(runs);
  } catch {
    // No file, or one cut short by a crash: there is nothing to be known from it.
    return [];
  }
};

/** The id of the process that runs a stack on this data, if one does. */
const runningSupervisor = (dataDir: string): number | undefined =>
  runningProcesses(dataDir).find((entry) => entry.name === SUPERVISOR)?.pid;

const signal = (entry: Entry, name: NodeJS.Signals): void => {
  if (runs(entry)) process.kill(entry.pid, name);
};

const stopEntry = async (entry: Entry): Promise<void> => {
  signal(entry, 'SIGTERM');
  for (let waited = 0; runs(entry) && waited < STOP_TIMEOUT_MS; waited += POLL_MS) await sleep(POLL_MS);
  signal(entry, 'SIGKILL');
};

/**
 * Takes over a data folder: refuses while another supervisor runs on it, and ends what a killed one left behind.
 *
 * @returns the list to keep, and the names of the processes ended
 */
export const takeOver = async (dataDir: string): Promise<{ pidFile: PidFile; ended: string[] }> => {
  const supervisor = runningSupervisor(dataDir);
  if (supervisor !== undefined) {
    throw new Error(`The stack already runs on ${dataDir} (process ${String(supervisor)}). Stop that one first.`);
  }
  const leftovers = runningProcesses(dataDir).reverse();
  for (const entry of leftovers) await stopEntry(entry);

  const listed = new Map<number, Entry>();
  const save = (): void => {
    const file = fileIn(dataDir);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, JSON.stringify([...listed.values()]));
    renameSync(`${file}.new`, file);
  };
  const pidFile: PidFile = {
    add: (name, pid) => {
      const startTime = processStartTime(pid);
      if (startTime === undefined) return;
      listed.set(pid, { name, pid, startTime });
      save();
    },
    remove: (pid) => {
      if (listed.delete(pid)) save();
    },
    close: () => {
      pidFile.remove(process.pid);
    },
  };
  pidFile.add(SUPERVISOR, process.pid);
  return { pidFile, ended: leftovers.map((entry) => entry.name) };
};
