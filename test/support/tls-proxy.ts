import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';

import type { Issued } from './certificates';

export interface TlsProxy {
  readonly port: number;
  /** Versions of TLS that clients came with. */
  readonly protocols: ReadonlySet<string>;
  close(): Promise<void>;
}

export interface TlsProxyOptions extends Issued {
  readonly targetPort: number;
  /** Clients must show a certificate of this authority. */
  readonly clientCa?: string;
  readonly alpn?: readonly string[];
}

/** Ends TLS in front of a server that cannot: the packaged builds of Valkey and of Temporal's development server. */
export const startTlsProxy = async ({ targetPort, clientCa, alpn, cert, key }: TlsProxyOptions): Promise<TlsProxy> => {
  const sockets = new Set<Socket>();
  const protocols = new Set<string>();
  const server = createServer({
    ...{ cert, key },
    ...(alpn !== undefined && { ALPNProtocols: [...alpn] }),
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  });
  server.on('secureConnection', (client) => {
    protocols.add(client.getProtocol() ?? '');
    const target = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    // Else small answers wait for 40 ms, which is as long as a limit waits for Redis.
    client.setNoDelay(true);
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    protocols,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
