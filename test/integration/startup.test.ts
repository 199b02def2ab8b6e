import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import type { ProcessName } from '../../src/config/processes';
import { DIST_DIR, PROJECT_ROOT } from '../../tools/project';
import { freePort } from '../../tools/stack/ports';
import { eventually } from '../support/eventually';
import { startUpstream } from '../support/gateway';

const PROCESSES = ['api', 'worker', 'consumer', 'gateway', 'codec-server'] as const;
type Environment = Readonly<Record<string, string>>;

const PORT_SETTING: Readonly<Record<ProcessName, string>> = {
  api: 'AUTH_SERVICE_PORT',
  worker: 'WORKER_METRICS_PORT',
  consumer: 'CONSUMER_METRICS_PORT',
  gateway: 'API_GATEWAY_PORT',
  'codec-server': 'CODEC_SERVER_PORT',
};
const KEYS = ['ROOT_KEYS', 'BLIND_INDEX_KEY', 'TOKEN_KEY'] as const;
const SECRETS: Readonly<Record<ProcessName, readonly string[]>> = {
  api: ['DATABASE_URL', ...KEYS],
  worker: ['DATABASE_URL', ...KEYS],
  consumer: ['DATABASE_URL'],
  gateway: ['GATEWAY_SECRET'],
  'codec-server': ['DATABASE_URL', ...KEYS],
};
/** `EX_CONFIG` of sysexits.h. */
const CONFIGURATION_ERROR = 78;
/** Stands in every value that must not be printed. */
const CANARY = 'kanarienvogel';

const key = (): string => randomBytes(32).toString('base64');
/** Good in form; nothing of it answers. */
const goodSecrets = (password = 'x8Jq2mTz'): Environment => ({
  DATABASE_URL: `postgresql://meqenet:${password}@127.0.0.1:1/meqenet_auth`,
  ROOT_KEYS: `k1:${key()}`,
  BLIND_INDEX_KEY: key(),
  TOKEN_KEY: key(),
  GATEWAY_SECRET: key(),
});
const NOWHERE: Environment = {
  PUBLIC_URL: 'https://auth.meqenet.et',
  REDIS_HOST: '127.0.0.1',
  REDIS_PORT: '1',
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: '1',
  AUTH_SERVICE_URLS: 'http://127.0.0.1:1',
  // Not that of another test file's.
  GRPC_PORT: String(20_000 + (process.pid % 10_000)),
  WORKFLOW_BUNDLE: join(DIST_DIR, 'workflow-bundle.js'),
};

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly end: Promise<number | null>;
}
/** Starts a process with this environment and nothing of ours. */
const start = (name: ProcessName, env: Environment): Started => {
  const child = spawn(process.execPath, [join(DIST_DIR, 'src', 'bin', `${name}.js`)], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const end = once(child, 'close').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  return { child, output: () => output, end };
};
/** Runs a process that is to end by itself. */
const run = async (name: ProcessName, env: Environment) => {
  const { output, end } = start(name, env);
  return { code: await end, output: output() };
};
const MAIL = ['SMTP_PASSWORD_FILE', 'SMTP_SECURE'];
/** Of the variables that are wrong below, those that a process does not read. */
const UNREAD: Readonly<Record<ProcessName, readonly string[]>> = {
  api: [],
  worker: ['GATEWAY_SECRET'],
  consumer: [
    ...[...KEYS, 'GATEWAY_SECRET', 'JWT_EXPIRES_IN', 'TEMPORAL_ADDRESS', 'WORKER_METRICS_PORT', 'ARGON2_MEMORY_KIB'],
  ],
  gateway: ['DATABASE_URL', ...KEYS, ...MAIL, 'TEMPORAL_ADDRESS', 'WORKER_METRICS_PORT', 'ARGON2_MEMORY_KIB'],
  'codec-server': [...MAIL, 'GATEWAY_SECRET'],
};
/** What production refuses of development's. */
const REFUSED: Readonly<Record<ProcessName, readonly string[]>> = {
  api: ['DATABASE_URL', 'ROOT_KEYS'],
  worker: ['DATABASE_URL', 'ROOT_KEYS'],
  consumer: ['DATABASE_URL'],
  gateway: ['AUTH_SERVICE_URLS'],
  'codec-server': ['DATABASE_URL', 'ROOT_KEYS'],
};
/** What `N problem(s)` lists: a line for each, that begins with the variable. */
const problemsIn = (output: string): string[] =>
  [...output.matchAll(/^ {2}- (\w+): ./gm)].map(([, name]) => name ?? '');

describe.each(PROCESSES)('%s', (name) => {
  it('without its secrets ends with 78 and names each of them', async () => {
    const { code, output } = await run(name, {});
    expect(code).toBe(CONFIGURATION_ERROR);
    expect(problemsIn(output).sort()).toEqual([...SECRETS[name]].sort());
    expect(output).toContain(`${name} cannot start.`);
    expect(output).toContain('is required and not set');
    expect(output).not.toMatch(/\bat .*\.js:\d+/);
  });

  it('names everything that is wrong at once, and prints no value', async () => {
    const broken: Environment = {
      DATABASE_URL: `mysql://meqenet:${CANARY}@127.0.0.1/x`,
      ROOT_KEYS: `k1:${CANARY}`,
      BLIND_INDEX_KEY: Buffer.from(CANARY).toString('base64'),
      TOKEN_KEY: Buffer.alloc(32, 'x').toString('base64'),
      REDIS_PASSWORD: CANARY,
      REDIS_PASSWORD_FILE: '/dev/null',
      SMTP_PASSWORD_FILE: `/nowhere/${CANARY}`,
      AUTH_SERVICE_PORT: '99999',
      WORKER_METRICS_PORT: '0x10',
      REQUEST_TIMEOUT: 'soon',
      JWT_EXPIRES_IN: '0s',
      CORS_ORIGINS: '*',
      SMTP_SECURE: 'yes',
      LOG_LEVEL: 'loud',
      NODE_ENV: 'prod',
      TEMPORAL_ADDRESS: 'temporal',
      ARGON2_MEMORY_KIB: '8',
      GATEWAY_SECRET: `${CANARY},${CANARY}`,
    };
    const { code, output } = await run(name, broken);
    expect(code).toBe(CONFIGURATION_ERROR);
    const unread = ['REDIS_PASSWORD_FILE', ...UNREAD[name]];
    const expected = Object.keys(broken).filter((variable) => !unread.includes(variable));
    expect(problemsIn(output).sort()).toEqual([...expected].sort());
    expect(output).not.toContain(CANARY);
    expect(output).not.toContain(Buffer.from(CANARY).toString('base64'));
    expect(output).not.toContain(broken['TOKEN_KEY']);
  });

  it('is refused in production with development secrets, which it does not print', async () => {
    const secrets = {
      ...goodSecrets('meqenet'),
      ROOT_KEYS: `dev1:${key()}`,
    };
    const env = { NODE_ENV: 'production', ...NOWHERE, ...secrets, AUTH_SERVICE_URLS: 'http://auth.internal:3001' };
    const { code, output } = await run(name, env);
    expect(code).toBe(CONFIGURATION_ERROR);
    expect(problemsIn(output).sort()).toEqual(REFUSED[name]);
    for (const secret of Object.values(secrets)
      .flatMap((value) => value.split(/[,:]/))
      .filter((part) => part.length > 20))
      expect(output).not.toContain(secret);
  });

  it('whose port is in use says which, and what to set instead', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    try {
      const { code, output } = await run(name, { ...NOWHERE, ...goodSecrets(), [PORT_SETTING[name]]: String(port) });
      expect(code).toBe(1);
      expect(output).toContain(
        `Cannot listen on 127.0.0.1:${String(port)}: the port is in use; set ${PORT_SETTING[name]} to a free one`,
      );
    } finally {
      taken.close();
    }
  });
});

describe('the gateway', () => {
  it('serves what is behind it with its own secret and nothing of the database or any key', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const upstream = await startUpstream((request, response) => {
      seen.push(request.headers);
      response.end('behind');
    });
    const [port, metricsPort, secret] = [await freePort(), await freePort(), key()];
    const { child, output, end } = start('gateway', {
      GATEWAY_SECRET: secret,
      AUTH_SERVICE_URLS: upstream.url,
      API_GATEWAY_PORT: String(port),
      GATEWAY_METRICS_PORT: String(metricsPort),
    });
    try {
      const url = `http://127.0.0.1:${String(port)}`;
      await eventually('its health', async () => (await fetch(`${url}/healthz`)).ok);
      const answer = await fetch(`${url}/.well-known/jwks.json`);
      expect([answer.status, await answer.text()]).toEqual([200, 'behind']);
      expect(seen.at(-1)).toMatchObject({ 'x-gateway-secret': secret });
      expect((await fetch(`http://127.0.0.1:${String(metricsPort)}/metrics`)).status).toBe(200);
      child.kill('SIGTERM');
      expect(await end).toBe(0);
      expect(output()).not.toContain(secret);
    } finally {
      await upstream.stop();
    }
  });
});

describe('what is not made for production', () => {
  it('a worker that would bundle its workflows when it starts', async () => {
    const { WORKFLOW_BUNDLE: _, ...rest } = NOWHERE;
    const { code, output } = await run('worker', { NODE_ENV: 'production', ...rest, ...goodSecrets() });
    expect(code).toBe(1);
    expect(output).toContain('WORKFLOW_BUNDLE is required in production');
  });
});

describe('a process in production', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meqenet-secrets-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(PROCESSES)(
    '%s takes its secrets from files, waits for its neighbours, logs no secret, loads nothing for tracing, and ends when asked to',
    async (name) => {
      const secrets = goodSecrets();
      const files = Object.entries(secrets).map(([variable, value]) => ({
        variable,
        value,
        file: join(folder, variable),
      }));
      await Promise.all(files.map(({ file, value }) => writeFile(file, `${value}\n`)));
      const port = await freePort();
      const modulesFile = join(folder, `modules of ${name}`);
      const { child, output, end } = start(name, {
        NODE_OPTIONS: `--require ${join(PROJECT_ROOT, 'test', 'support', 'loaded-modules.cjs')}`,
        LOADED_MODULES_FILE: modulesFile,
        NODE_ENV: 'production',
        LOG_LEVEL: 'trace',
        SHUTDOWN_TIMEOUT: '2s',
        ...NOWHERE,
        GATEWAY_METRICS_PORT: String(await freePort()),
        [PORT_SETTING[name]]: String(port),
        ...Object.fromEntries(files.map(({ variable, file }) => [`${variable}_FILE`, file])),
      });
      const url = `http://127.0.0.1:${String(port)}`;
      await eventually('its health', async () => (await fetch(`${url}/healthz`)).ok);
      const ready = await fetch(`${url}/readyz`);
      const isGateway = name === 'gateway';
      expect(ready.status).toBe(isGateway ? 200 : 503);
      expect(await ready.json()).toMatchObject(
        isGateway
          ? { status: 'degraded', checks: { auth: { status: 'down' } } }
          : { status: 'not_ready', checks: { postgres: { status: 'down' } } },
      );

      const begin = performance.now();
      child.kill('SIGTERM');
      expect(await end).toBe(0);
      expect(performance.now() - begin).toBeLessThan(10_000);
      expect(output()).toContain('"stopped"');
      const parts = Object.values(secrets).flatMap((value) => [value, ...value.split(/[:@]/)]);
      for (const secret of parts.filter((part) => part.length > 7 && !part.includes('127.0.0.1')))
        expect(output()).not.toContain(secret);
      expect(output()).not.toContain('x8Jq2mTz');
      const modules = (await readFile(modulesFile, 'utf8')).split('\n');
      expect(modules.some((file) => file.endsWith(`/${name}.js`))).toBe(true);
      // The API of OpenTelemetry does nothing by itself, and prom-client loads it in any case.
      const forTracing =
        /\/(@opentelemetry\/(?!api\/)[^/]+|bullmq-otel|interceptors-opentelemetry[^/]*|instrumentation\.js)(\/|$)/;
      expect(modules.filter((file) => forTracing.test(file))).toEqual([]);
      // One JSON object a line, or nothing.
      for (const line of output().trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
    },
  );
});
