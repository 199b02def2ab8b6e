import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type PeerCertificate, TLSSocket } from 'node:tls';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { DIST_DIR } from '../../../tools/project';
import { freePort } from '../../../tools/stack/ports';
import { type Authority, createAuthority, type Issued, NOT_TRUSTED } from '../../support/certificates';
import { eventually } from '../../support/eventually';
import { useStack } from '../../support/stack';

const stack = useStack('postgres');
let folder = '';
let authority: Authority;
let stranger: Authority;
let server: Issued;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meqenet-tls-'));
  [authority, stranger] = await Promise.all([createAuthority(), createAuthority('Somebody else')]);
  server = await authority.issue('localhost');
});
afterEach(async () => {
  for (const child of children) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  children.clear();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const writePair = ({ cert, key }: Issued) =>
  Promise.all([writeFile(join(folder, 'server.crt'), cert), writeFile(join(folder, 'server.key'), key)]);

/** The certificate in files, as a deployment has it. */
const inFiles = () => ({
  SERVER_TLS_CERTIFICATE_FILE: join(folder, 'server.crt'),
  SERVER_TLS_KEY_FILE: join(folder, 'server.key'),
});

/** Starts a process of the service. @returns its ports, and what it has logged */
const start = async (name: 'api' | 'worker', env: Readonly<Record<string, string>>) => {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, [join(DIST_DIR, 'src', 'bin', `${name}.js`)], {
    env: {
      PATH: process.env['PATH'],
      ...{ ...stack.env, GRPC_PORT: String(grpcPort), WORKFLOW_BUNDLE: join(DIST_DIR, 'workflow-bundle.js') },
      ...{ [name === 'api' ? 'AUTH_SERVICE_PORT' : 'WORKER_METRICS_PORT']: String(port), ...env },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await eventually('the start', () => Promise.resolve(output.includes('"started"')));
  return { port, grpcPort, output: () => output };
};

interface Handshake {
  readonly peer: PeerCertificate;
  readonly protocol: string | null;
}
/** With the gRPC server, whose protocol above TLS is not of interest here. */
const shakeHands = (port: number, options: ConnectionOptions = {}): Promise<Handshake> =>
  new Promise((resolve, reject) => {
    const own = { host: '127.0.0.1', servername: 'localhost', ca: authority.cert, ALPNProtocols: ['h2'] };
    const socket = connect({ ...own, port, ...options }, () => {
      resolve({ peer: socket.getPeerCertificate(), protocol: socket.getProtocol() });
      socket.destroy();
    });
    socket.once('error', reject);
  });

interface Answer extends Handshake {
  readonly status: number;
}
const get = (port: number, options: RequestOptions = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        port,
        path: '/healthz',
        agent: false,
        ca: authority.cert,
        ...options,
      },
      (response) => {
        if (!(response.socket instanceof TLSSocket)) throw new Error('Not over TLS');
        const { socket } = response;
        const answer = { peer: socket.getPeerCertificate(), protocol: socket.getProtocol() };
        response.resume().once('end', () => {
          resolve({ status: response.statusCode ?? 0, ...answer });
        });
      },
    );
    asked.once('error', reject).end();
  });

describe('HTTP and gRPC over TLS', () => {
  it('is answered to clients that know the authority, by TLS 1.2 at least, and never in the clear', async () => {
    const pair = { SERVER_TLS_CERTIFICATE: server.cert, SERVER_TLS_KEY: server.key };
    const { port, grpcPort } = await start('api', pair);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const answer = await get(port, { minVersion: version, maxVersion: version });
      expect(answer).toMatchObject({ status: 200, protocol: version });
      const greeting = await shakeHands(grpcPort, { minVersion: version, maxVersion: version });
      expect(greeting.protocol).toBe(version);
    }
    await expect(get(port, { ca: stranger.cert })).rejects.toMatchObject({ code: expect.stringMatching(NOT_TRUSTED) });
    await expect(get(port, { servername: 'evil.test' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    await expect(get(port, old)).rejects.toThrow(/protocol version/);
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA' } as const;
    await expect(get(port, weak)).rejects.toThrow(/handshake failure/);
    await expect(shakeHands(grpcPort, old)).rejects.toThrow(/protocol version/);
    await expect(shakeHands(grpcPort, weak)).rejects.toThrow(/handshake failure/);
    await expect(fetch(`http://127.0.0.1:${String(port)}/healthz`)).rejects.toThrow();
  });

  it('asks for a certificate of the client where told so, and for one of the right authority', async () => {
    await writePair(server);
    const { port } = await start('api', { ...inFiles(), SERVER_TLS_CLIENT_CA: authority.cert });
    const [client, foreign] = await Promise.all([authority.issueClient('gateway'), stranger.issueClient('gateway')]);
    expect(await get(port, client)).toMatchObject({ status: 200 });
    await expect(get(port)).rejects.toMatchObject({ code: expect.stringMatching(/CERTIFICATE_REQUIRED|ECONNRESET/) });
    await expect(get(port, foreign)).rejects.toMatchObject({ code: expect.stringMatching(/UNKNOWN_CA|ECONNRESET/) });
    await expect(get(port, { maxVersion: 'TLSv1.2' })).rejects.toMatchObject({ code: expect.any(String) });
  });

  it('takes a renewed certificate over without a restart, and no half of one', async () => {
    await writePair(server);
    const { port, grpcPort, output } = await start('api', { ...inFiles(), SECRETS_REFRESH_INTERVAL: '1s' });
    const open = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert });
    await once(open, 'secureConnect');
    const renewed = await authority.issue('localhost');
    const serial = async () => (await get(port)).peer.serialNumber;
    const serialOfGrpc = async () => (await shakeHands(grpcPort)).peer.serialNumber;
    const before = await serial();

    await writeFile(join(folder, 'server.crt'), renewed.cert);
    const problem = 'SERVER_TLS_KEY: is not the key of SERVER_TLS_CERTIFICATE';
    await eventually('the report', () => Promise.resolve(output().includes(problem)));
    expect([await serial(), await serialOfGrpc()]).toEqual([before, before]);

    await writePair(renewed);
    await eventually('the new certificate', async () => (await serial()) !== before);
    expect(await serialOfGrpc()).toBe(await serial());
    expect(output()).not.toContain('PRIVATE KEY');
    expect(open.destroyed).toBe(false);
    open.destroy();
  });

  it('is what the servers for operators speak as well, without asking for certificates', async () => {
    await writePair(server);
    const { port } = await start('worker', { ...inFiles(), SERVER_TLS_CLIENT_CA: authority.cert });
    expect(await get(port)).toMatchObject({ status: 200 });
    await expect(fetch(`http://127.0.0.1:${String(port)}/healthz`)).rejects.toThrow();
  });
});
