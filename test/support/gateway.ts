import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createProcesses, type ServiceProcess } from '../../tools/processes';
import type { Ports } from '../../tools/stack/addresses';
import { takeOver } from '../../tools/stack/pid-file';
import { freePort } from '../../tools/stack/ports';

/** A real gateway process in front of whatever its table says; Redis and the rest of the stack are away. */
export interface GatewayAlone {
  readonly url: string;
  readonly metricsUrl: string;
  readonly process: ServiceProcess;
  /** Writes another table, at once and as a whole. */
  readonly writeRoutes: (table: unknown) => Promise<void>;
  readonly log: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

const key = (): string => randomBytes(32).toString('base64');

/** Good in form; Redis does not answer. */
const nowhere = (): Record<string, string> => ({
  GATEWAY_SECRET: key(),
  REDIS_HOST: '127.0.0.1',
  REDIS_PORT: '1',
});

export const startGateway = async (
  table: unknown,
  env: Readonly<Record<string, string>> = {},
): Promise<GatewayAlone> => {
  const folder = await mkdtemp(join(tmpdir(), 'meqenet-gateway-'));
  const routesFile = join(folder, 'routes.yaml');
  const writeRoutes = async (next: unknown): Promise<void> => {
    // JSON is YAML.
    await writeFile(`${routesFile}.new`, typeof next === 'string' ? next : JSON.stringify(next));
    await rename(`${routesFile}.new`, routesFile);
  };
  await writeRoutes(table);
  const [gateway, gatewayMetrics] = [await freePort(), await freePort()];
  const { pidFile } = await takeOver(folder);
  const { gateway: child } = createProcesses(
    {
      ...{ pidFile, logDir: folder, ports: { gateway, gatewayMetrics } as Ports },
      env: { ...nowhere(), API_GATEWAY_PORT: String(gateway), GATEWAY_METRICS_PORT: String(gatewayMetrics) },
    },
    { env: { NODE_ENV: 'test', LOG_LEVEL: 'info', GATEWAY_ROUTES_FILE: routesFile, ...env } },
  );
  await child.start();
  return {
    url: `http://127.0.0.1:${String(gateway)}`,
    metricsUrl: `http://127.0.0.1:${String(gatewayMetrics)}`,
    process: child,
    writeRoutes,
    log: () => readFile(join(folder, 'gateway.log'), 'utf8'),
    stop: async () => {
      await child.stop();
      pidFile.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** A real server behind a gateway. */
export interface TestUpstream {
  readonly url: string;
  readonly server: Server;
  /** Closes it with everything that is open. */
  readonly stop: () => Promise<void>;
}

/** `GET /readyz` is answered with 200 unless the listener does it. */
export const startUpstream = async (listener: RequestListener, port = 0): Promise<TestUpstream> => {
  const open = new Set<Socket>();
  const server = createServer((request, response) => {
    if (request.url === '/readyz') response.end('{}');
    else listener(request, response);
  });
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    server,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
};
