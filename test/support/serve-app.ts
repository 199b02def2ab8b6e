import { connect } from 'node:net';
import { Writable } from 'node:stream';

import { type AppDependencies, createApp } from '../../src/api/app';
import type { Route } from '../../src/api/route';
import { listen, type Listening } from '../../src/api/server';
import type { Caller } from '../../src/contracts/caller';
import { AppError } from '../../src/contracts/errors';
import { createReadiness } from '../../src/health/readiness';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';

export const CALLER: Caller = {
  userId: '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11',
  sessionId: '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a12',
  roles: ['CUSTOMER'],
  acr: 'aal1',
  amr: ['pwd'],
  authTime: 1_764_000_000,
  tokenExpiresAt: 1_764_000_900,
};

/** A logger whose lines can be read. */
export const createLogCapture = (level: 'debug' | 'info' = 'debug') => {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      for (const line of chunk.toString().trim().split('\n')) lines.push(JSON.parse(line) as Record<string, unknown>);
      done();
    },
  });
  return { logger: createLogger({ level, serviceName: 'test' }, sink), lines };
};

export interface Served extends Listening {
  readonly origin: string;
  readonly lines: Record<string, unknown>[];
  /** Sends bytes as they are and returns all that comes back until the connection ends. */
  readonly raw: (text: string) => Promise<string>;
}

/** The app with the given routes on a free port; the token `good` is accepted. */
export const serveApp = async (
  routes: readonly Route[],
  overrides: Partial<AppDependencies> & { headersTimeoutMs?: number } = {},
): Promise<Served> => {
  const { logger, lines } = createLogCapture();
  const config = { maxBodyBytes: 65_536, requestTimeoutMs: 2_000, corsOrigins: ['https://app.meqenet.et'] };
  const app = createApp({
    routes,
    authenticate: async (token) => {
      if (!['good'].includes(token)) throw new AppError('invalid_token');
      return CALLER;
    },
    logger,
    metrics: createMetrics(),
    readiness: createReadiness({}, { timeoutMs: 100 }),
    config,
    ...overrides,
  });
  const listening = await listen(app, {
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: (overrides.config ?? config).requestTimeoutMs,
    ...(overrides.headersTimeoutMs !== undefined && { headersTimeoutMs: overrides.headersTimeoutMs }),
  });
  const { host, port } = listening.address;
  return {
    ...listening,
    lines,
    origin: `http://${host}:${port}`,
    raw: (text) =>
      new Promise((resolve, reject) => {
        let answer = '';
        const socket = connect(port, host, () => socket.write(text));
        socket.setEncoding('utf8');
        socket.on('data', (chunk: string) => (answer += chunk));
        socket.on('close', () => resolve(answer));
        socket.on('error', reject);
      }),
  };
};
