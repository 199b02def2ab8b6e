import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Position of `starttime` among the fields that follow the command's name in /proc/<pid>/stat. */
const START_TIME_FIELD = 19;

const linuxStartTime = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${fields[START_TIME_FIELD] ?? ''}`;
  } catch {
    return undefined;
  }
};

const otherStartTime = (pid: number): string | undefined => {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
};

/**
 * When a process began, in the system's own terms. With its id it names one process for good, since ids are reused.
 *
 * @returns undefined when no such process runs
 */
export const processStartTime = (pid: number): string | undefined =>
  process.platform === 'linux' ? linuxStartTime(pid) : otherStartTime(pid);
