import { Client, type ClientConfig, DatabaseError, Pool, type PoolClient } from 'pg';

import type { DatabaseConfig } from '../config/database.config';

import { toConnectionOptions } from './postgres-address';

type Callback = Parameters<Pool['connect']>[0];

/** PostgreSQL class 28: the role or its password is not accepted. */
const LOGIN_REFUSED = '28';
const isLoginRefused = (error: unknown): boolean =>
  error instanceof DatabaseError && error.code?.startsWith(LOGIN_REFUSED) === true;

const optionsOf = (config: DatabaseConfig, size: number) => ({
  /** A connection is made with the URL of its time: passwords, and roles that take turns, are rotated while we run. */
  Client: class extends Client {
    constructor(options: ClientConfig) {
      super({ ...options, ...toConnectionOptions(config) });
    }
  },
  max: size,
  connectionTimeoutMillis: config.connectTimeoutMs,
  statement_timeout: config.queryTimeoutMs,
});

/**
 * A pool that outlives the rotation of its password: who rotates it changes the role first and the secret a moment later,
 * and until then a new connection is refused. It asks for the secret and tries again, with a secret that has changed only,
 * for as long as one may wait for a connection.
 */
class RotatingPool extends Pool {
  readonly #config: DatabaseConfig;
  readonly #refreshSecrets: () => Promise<void>;

  constructor(config: DatabaseConfig, size: number, refreshSecrets: () => Promise<void>) {
    super(optionsOf(config, size) as never);
    this.#config = config;
    this.#refreshSecrets = refreshSecrets;
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: Callback): void;
  override connect(callback?: Callback): Promise<PoolClient> | void {
    const deadline = performance.now() + this.#config.connectTimeoutMs;
    if (callback !== undefined) {
      this.#connect(deadline, callback);
      return;
    }
    return new Promise((resolve, reject) => {
      this.#connect(deadline, (error, client) => {
        if (client === undefined) reject(error ?? new Error('no connection'));
        else resolve(client);
      });
    });
  }

  #connect(deadline: number, callback: Callback): void {
    const { url } = this.#config;
    super.connect((error, client, done) => {
      if (!isLoginRefused(error)) {
        callback(error, client, done);
        return;
      }
      const giveUp = (): void => callback(error, client, done);
      this.#waitForAnother(url, deadline).then((found) => {
        if (found) this.#connect(deadline, callback);
        else giveUp();
      }, giveUp);
    });
  }

  /** @returns whether the URL is another one by the deadline */
  async #waitForAnother(url: string, deadline: number): Promise<boolean> {
    // Somebody else's connection may have found it already.
    while (this.#config.url === url && performance.now() < deadline) await this.#refreshSecrets();
    return this.#config.url !== url;
  }
}

export interface PoolOptions {
  /** Connections at most. */
  readonly size: number;
  /** Brings the configuration up to date, at most once a second however often it is asked; never rejects. */
  readonly refreshSecrets?: (() => Promise<void>) | undefined;
}

/**
 * The connections of one process; Prisma takes its own from the same pool. They are made at the first use, and again after
 * an outage.
 */
export const createPool = (config: DatabaseConfig, { size, refreshSecrets }: PoolOptions): Pool => {
  const pool =
    refreshSecrets === undefined
      ? new Pool(optionsOf(config, size) as never)
      : new RotatingPool(config, size, refreshSecrets);
  // An idle connection that the server closes is replaced at its next use; unheard, the event would end the process.
  pool.on('error', () => undefined);
  // The same for one that a transaction holds between two statements: the next statement says so.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
};
