import { setTimeout as sleep } from 'node:timers/promises';

import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

import type { GrpcConfig } from '../config/grpc.config';
import type { ServerTls } from '../config/tls.config';
import { type AuthServiceServer, AuthServiceService } from '../generated/proto/auth/v1/auth';

import { decodingSafely } from './decoding';
import { createReflection } from './reflection';
import { SERVICE } from './service-name';
import { TlsCredentials } from './tls-credentials';

/** Load balancers learn of new processes when clients connect again, milliseconds. */
const CONNECTION_AGE_MS = 30 * 60_000;
/** A dead peer is noticed after so long, milliseconds. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
/** So often the health service is told whether the process is ready, milliseconds. */
const HEALTH_INTERVAL_MS = 1_000;
const IDLE_POLL_MS = 20;
/** The last answers are on their way for so long, milliseconds. */
const FLUSH_MS = 100;

export interface GrpcServerOptions {
  readonly host: string;
  /** With it the server speaks TLS only; with client authorities in it, to whoever shows a certificate of theirs. */
  readonly tls: ServerTls | undefined;
  readonly config: GrpcConfig;
  /** Larger messages are refused, bytes. */
  readonly maxMessageBytes: number;
  readonly service: AuthServiceServer;
  /** Ends streams that would go on for ever. */
  readonly endStreams: () => void;
  /** Calls of the service that have begun and not ended. */
  readonly running: () => number;
  readonly isReady: () => Promise<boolean>;
}

export interface GrpcListening {
  readonly port: number;
  /** New connections get this certificate. */
  readonly renewTls: (tls: ServerTls) => void;
  /** Not serving from now on; calls that run may take until `timeoutMs`. */
  readonly close: (timeoutMs: number) => Promise<void>;
}

/** The library gives the system's error as text only. */
const reasonOf = ({ message }: Error): string =>
  message.includes('EADDRINUSE') ? 'the port is in use; set GRPC_PORT to a free one' : message;

const bind = (server: Server, host: string, port: number, credentials: ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) => {
    const address = `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
    server.bindAsync(address, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new Error(`Cannot listen on ${address}: ${reasonOf(error)}`, { cause: error }));
    });
  });

/**
 * Calls may go on for `timeoutMs`; then they are cut off. Watches of the health service, which never end by themselves, are when
 * there is nothing else.
 */
const drain = async (server: Server, running: () => number, timeoutMs: number): Promise<void> => {
  const end = performance.now() + timeoutMs;
  const state = { closed: false };
  const closed = new Promise<void>((resolve) => {
    server.tryShutdown(() => {
      state.closed = true;
      resolve();
    });
  });
  while (!state.closed && running() > 0 && performance.now() < end) await sleep(IDLE_POLL_MS);
  if (!state.closed) await Promise.race([closed, sleep(FLUSH_MS)]);
  if (!state.closed) server.forceShutdown();
};

/**
 * Serves auth.v1.AuthService, the standard health service, and reflection where it is allowed.
 * @throws {Error} naming the address and the setting to change
 */
export const startGrpcServer = async (options: GrpcServerOptions): Promise<GrpcListening> => {
  const { host, tls, config, maxMessageBytes, service, endStreams, running, isReady } = options;
  const server = new Server({
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_concurrent_streams': config.maxCalls,
    'grpc.max_connection_age_ms': CONNECTION_AGE_MS,
    'grpc.max_connection_age_grace_ms': CONNECTION_AGE_MS,
    // Nobody serves these statistics, and they cost every call.
    'grpc.enable_channelz': 0,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  });
  server.addService(decodingSafely(AuthServiceService), service);
  const health = new HealthImplementation({ '': 'NOT_SERVING', [SERVICE]: 'NOT_SERVING' });
  health.addToServer(server);
  if (config.reflection) {
    createReflection().addToServer(server);
  }
  const secure = tls && new TlsCredentials(tls);
  const port = await bind(server, host, config.port, secure ?? ServerCredentials.createInsecure());

  let closing = false;
  let told = false;
  /** Whoever watches hears of changes only (the health checking protocol). */
  const tell = (isServing: boolean): void => {
    if (isServing === told) return;
    told = isServing;
    for (const name of ['', SERVICE]) health.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING');
  };
  const look = async (): Promise<void> => {
    const isServing = await isReady().catch(() => false);
    if (!closing) tell(isServing);
  };
  await look();
  const timer = setInterval(() => {
    look().catch(() => undefined);
  }, HEALTH_INTERVAL_MS);
  return {
    port,
    renewTls: (next) => secure?.renew(next),
    close: async (timeoutMs) => {
      closing = true;
      clearInterval(timer);
      tell(false);
      endStreams();
      await drain(server, running, timeoutMs);
    },
  };
};
