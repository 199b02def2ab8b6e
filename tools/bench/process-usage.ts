import { readdirSync, readFileSync } from 'node:fs';

/** Positions among the fields that follow the command's name in /proc/<pid>/stat. */
const FIELD = { parent: 1, userTime: 11, systemTime: 12, childrenUserTime: 13, childrenSystemTime: 14 } as const;
/** USER_HZ: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const BYTES_PER_KIB = 1_024;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
}

const readStat = (pid: number): Stat | undefined => {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const field = (position: number): number => Number(fields[position]);
    const ticks =
      field(FIELD.userTime) +
      field(FIELD.systemTime) +
      // Of children that have ended: connections of Postgres come and go.
      field(FIELD.childrenUserTime) +
      field(FIELD.childrenSystemTime);
    return { pid, parent: field(FIELD.parent), cpuSeconds: ticks / TICKS_PER_SECOND };
  } catch {
    return undefined;
  }
};

/**
 * CPU time of processes and all below them since they began, seconds.
 *
 * @returns NaN where there is no /proc
 */
export const cpuSeconds = (...pids: readonly (number | undefined)[]): number => {
  if (process.platform !== 'linux') return NaN;
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? []);
  const wanted = new Set(pids);
  // A child may have a smaller id than its parent, so until nothing is added.
  for (let before = -1; before !== wanted.size;) {
    before = wanted.size;
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid);
  }
  return all.filter(({ pid }) => wanted.has(pid)).reduce((total, stat) => total + stat.cpuSeconds, 0);
};

/** Fields of the first line of /proc/stat that count as busy: user, nice, system, irq, softirq, steal. */
const BUSY_FIELDS = [1, 2, 3, 6, 7, 8] as const;

/** CPU time that the whole machine has spent since it started, seconds; NaN where there is no /proc. */
export const machineCpuSeconds = (): number => {
  if (process.platform !== 'linux') return NaN;
  const fields = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/ +/);
  return BUSY_FIELDS.reduce((total, index) => total + Number(fields[index]), 0) / TICKS_PER_SECOND;
};

/** Resident memory of a process, bytes; NaN where there is no /proc. */
export const residentBytes = (pid: number | undefined): number => {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * BYTES_PER_KIB;
  } catch {
    return NaN;
  }
};
