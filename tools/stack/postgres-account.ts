import { execFileSync } from 'node:child_process';

/** Who the database server runs as, and how it is started as that. */
export interface PostgresAccount {
  readonly uid: number;
  readonly gid: number;
  /** Put before the server's own command; where it is empty, the process is started with `uid` and `gid` instead. */
  readonly prefix: readonly string[];
}

/** Accounts that exist on most machines, in order of preference; nothing is added to the machine. */
const ACCOUNTS = ['postgres', 'nobody'];

const tryRun = (command: string, args: readonly string[]): string | undefined => {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
};

/**
 * Postgres refuses to run as root, so root runs it as an unprivileged account. Where the system can, that account may
 * walk through folders closed to it, such as /root or a private temporary folder above the data.
 *
 * @returns undefined for an ordinary user, who runs it as himself
 */
export const postgresAccount = (): PostgresAccount | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const name = ACCOUNTS.find((account) => tryRun('id', ['-u', account]) !== undefined);
  if (name === undefined) {
    throw new Error(
      'Postgres does not run as root, and there is no account "postgres" or "nobody". Run this as an ordinary user.',
    );
  }
  const uid = Number(tryRun('id', ['-u', name]));
  const gid = Number(tryRun('id', ['-g', name]));
  const ids = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  const walkAnywhere = [
    ...['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'],
    // Else access(), by which Postgres looks for its own files, would not count the capability.
    ...['--securebits', '+no_setuid_fixup'],
  ];
  const canWalk = tryRun('setpriv', [...ids, ...walkAnywhere, 'true']) !== undefined;
  return { uid, gid, prefix: canWalk ? ['setpriv', ...ids, ...walkAnywhere] : [] };
};
