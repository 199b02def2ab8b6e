import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ServerTls } from '../config/tls.config';

import { answerClientError } from './client-error';

/** RFC 9112 asks for at least 8000 octets for the request line; the headers of an access token fit twice. */
const MAX_HEADER_BYTES = 16_384;
/** Longest time for the headers to arrive, milliseconds (Slowloris). */
const HEADERS_TIMEOUT_MS = 10_000;
/** Longest time for the TLS handshake, milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Longer than the idle timeout of common load balancers (60 s), which otherwise send into a closing connection. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** How often node looks for connections that are too slow, milliseconds. */
const CHECK_INTERVAL_MS = 1_000;
/** The app's own deadline answers better than node's, so that one comes later, milliseconds. */
const BACKSTOP_MS = 2_000;
const IDLE_SWEEP_MS = 50;

/** What is served: a Koa app, or anything that handles requests as one does. */
export interface Served {
  readonly callback: () => (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly requestTimeoutMs: number;
  /** Name of the setting that holds the port, for the error when it is in use. */
  readonly portSetting?: string;
  readonly headersTimeoutMs?: number;
  readonly keepAliveTimeoutMs?: number;
  /** With it the server speaks HTTPS only. */
  readonly tls?: ServerTls | undefined;
  /** Node answers requests without `Host` itself, without a body; false leaves them to the app. */
  readonly requireHost?: boolean;
  /** More connections are closed at once. */
  readonly maxConnections?: number;
  /** Takes requests with `Upgrade`; without it they are requests like any other. */
  readonly onUpgrade?: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
}

export interface Listening {
  readonly address: { readonly host: string; readonly port: number };
  /** New connections get this certificate; those that are open keep theirs. */
  readonly renewTls: (tls: ServerTls) => void;
  /**
   * Stops gracefully. Every answer from now on says `Connection: close`; for `drainMs` new connections are still
   * accepted, so that load balancers can notice; then running requests may take until `timeoutMs` before their
   * connections are cut.
   * @returns how many requests were cut off
   */
  readonly close: (timeoutMs: number, options?: { readonly drainMs?: number }) => Promise<{ readonly cutOff: number }>;
}

const toSecureContext = ({ clientCa, ...tls }: ServerTls) => ({
  ...tls,
  ...(clientCa !== undefined && { ca: clientCa }),
});

/** Whether clients must show a certificate is settled here; whose, may change with the certificate. */
const createSecureServer = (tls: ServerTls, options: ServerOptions): TlsServer =>
  createTlsServer({
    ...options,
    ...toSecureContext(tls),
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    requestCert: tls.clientCa !== undefined,
    rejectUnauthorized: true,
  });

const start = (server: Server, { host, port, portSetting }: ListenOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${host}:${String(port)}`;
      const hint = portSetting === undefined ? '' : `; set ${portSetting} to a free one`;
      const reason = error.code === 'EADDRINUSE' ? `the port is in use${hint}` : (error.code ?? error.message);
      reject(new Error(`Cannot listen on ${where}: ${reason}`, { cause: error }));
    });
    server.listen({ host, port }, () => {
      resolve();
    });
  });

const setUp = (server: Server, { maxConnections, onUpgrade }: ListenOptions): void => {
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  if (onUpgrade === undefined) return;
  server.on('upgrade', (request, socket, head) => {
    // It is one, unless somebody hands the server streams of their own.
    if (socket instanceof Socket) onUpgrade(request, socket, head);
  });
};

/** What is open, and what is being answered. */
interface Traffic {
  readonly connections: ReadonlySet<Socket>;
  readonly running: ReadonlySet<ServerResponse>;
}

const stop = async (server: Server, { connections, running }: Traffic, timeoutMs: number): Promise<number> => {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  // A connection whose answer had already promised keep-alive becomes idle only later.
  const sweep = setInterval(() => {
    server.closeIdleConnections();
    // To node, one that has said nothing yet is about to ask; browsers and pools open such ones in advance.
    for (const connection of connections) if (connection.bytesRead === 0) connection.destroy();
  }, IDLE_SWEEP_MS);
  let cutOff = 0;
  const deadline = setTimeout(() => {
    cutOff = running.size;
    server.closeAllConnections();
    // Node knows nothing any more of those that were upgraded.
    for (const connection of connections) connection.destroy();
  }, timeoutMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
  return cutOff;
};

/**
 * Serves an app over HTTP/1.1, or with a certificate over HTTPS, with bounds on everything that a slow or hostile client could stretch.
 * @throws {Error} naming the address, and for a port in use the setting to change
 */
export const listen = async (app: Served, options: ListenOptions): Promise<Listening> => {
  const handle = app.callback();
  const running = new Set<ServerResponse>();
  const connections = new Set<Socket>();
  let closing = false;
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: Math.min(options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS, options.requestTimeoutMs),
    requestTimeout: options.requestTimeoutMs + BACKSTOP_MS,
    keepAliveTimeout: options.keepAliveTimeoutMs ?? KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    requireHostHeader: options.requireHost ?? true,
  };
  const secure = options.tls && createSecureServer(options.tls, limits);
  const server: Server = secure ?? createServer(limits);
  server.on(secure === undefined ? 'connection' : 'secureConnection', (connection: Socket) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  server.on('request', (request, response) => {
    running.add(response);
    response.once('close', () => running.delete(response));
    if (closing) response.setHeader('Connection', 'close');
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  // The body is asked for only when it will be read; without it the connection could not be used again.
  server.on('checkContinue', (request, response) => {
    response.setHeader('Connection', 'close');
    server.emit('request', request, response);
  });
  server.on('clientError', answerClientError);
  setUp(server, options);
  await start(server, options);
  const { address, port } = server.address() as AddressInfo;

  return {
    address: { host: address, port },
    renewTls: (tls) => secure?.setSecureContext(toSecureContext(tls)),
    close: async (timeoutMs, { drainMs = 0 } = {}) => {
      closing = true;
      for (const response of running) if (!response.headersSent) response.setHeader('Connection', 'close');
      if (drainMs > 0) await sleep(drainMs);
      return { cutOff: await stop(server, { connections, running }, timeoutMs) };
    },
  };
};
