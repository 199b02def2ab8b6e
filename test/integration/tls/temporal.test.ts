import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NativeConnection } from '@temporalio/worker';

import { loadConfig, loadTemporalAddress } from '../../../src/config/load';
import { toAddress } from '../../../src/temporal/address';
import { createTemporalConnection } from '../../../src/temporal/connection';
import { ensureSchedule, rotationSchedule } from '../../../src/temporal/schedules';
import { DIST_DIR, PROJECT_ROOT } from '../../../tools/project';
import { type Authority, createAuthority, type Issued } from '../../support/certificates';
import { useStack } from '../../support/stack';
import { staticDataKeys } from '../../support/static-keys';
import { startTlsProxy, type TlsProxy } from '../../support/tls-proxy';

const run = promisify(execFile);
const NAME = 'temporal.test';
const keys = staticDataKeys({ k1: randomBytes(32) });
const stack = useStack('temporal');
let authority: Authority;
let stranger: Authority;
let client: Issued;
let proxy: TlsProxy;

beforeAll(async () => {
  [authority, stranger] = await Promise.all([createAuthority(), createAuthority('Somebody else')]);
  client = await authority.issueClient('meqenet');
  const server = await authority.issue(NAME);
  proxy = await startTlsProxy({ ...server, clientCa: authority.cert, alpn: ['h2'], targetPort: stack.ports.temporal });
});
afterAll(() => proxy.close());

const right = () => ({
  TEMPORAL_ADDRESS: `127.0.0.1:${String(proxy.port)}`,
  TEMPORAL_TLS: 'true',
  TEMPORAL_TLS_CA: authority.cert,
  TEMPORAL_TLS_CERTIFICATE: client.cert,
  TEMPORAL_TLS_KEY: client.key,
  TEMPORAL_TLS_SERVER_NAME: NAME,
});
type Env = Record<string, string>;
const config = (env: Env) =>
  loadConfig({ ...stack.env, DATABASE_URL: 'postgresql://nobody:nothing@127.0.0.1:1/none', ...env }).temporal;

/** Why the client of the API, and the connection of a worker, do not come about. */
const refusals = async (env: Env): Promise<{ client: unknown; worker: unknown }> => {
  const connection = createTemporalConnection(config(env), keys);
  const [ofClient, ofWorker] = await Promise.all([
    connection.ping(3_000).then(
      () => 'no refusal',
      (error: unknown) => error,
    ),
    NativeConnection.connect(toAddress(config(env))).then(
      (native) => native.close().then(() => 'no refusal'),
      (error: unknown) => error,
    ),
  ]);
  await connection.close();
  return { client: ofClient, worker: ofWorker };
};
/** gRPC: what the client tells after it has tried until its deadline. */
const NOT_REACHED = /^(4|14)$/;

describe('Temporal over TLS', () => {
  it('answers the client, a worker, a schedule and a tool with the right authority and certificate', async () => {
    const connection = createTemporalConnection(config(right()), keys);
    try {
      await connection.ping(5_000);
      await ensureSchedule(connection.client, rotationSchedule(30 * 24 * 60 * 60 * 1_000));
    } finally {
      await connection.close();
    }
    const native = await NativeConnection.connect(toAddress(config(right())));
    await native.workflowService.describeNamespace({ namespace: 'default' });
    await native.close();
    const tool = await run(process.execPath, [join(DIST_DIR, 'tools', 'keys-rotate.js')], {
      cwd: PROJECT_ROOT,
      env: { ...process.env, ...stack.env, ...right() },
    });
    expect(tool.stdout).toMatch(/The rotation runs as /);
    expect([...proxy.protocols]).toEqual([expect.stringMatching(/^TLSv1\.[23]$/)]);
    expect(loadTemporalAddress({ ...stack.env, ...right() }).tls).toEqual(config(right()).tls);
  });

  it('is not talked to when a stranger vouches for it, or it has another name', async () => {
    const wrongAuthority = await refusals({ ...right(), TEMPORAL_TLS_CA: stranger.cert });
    expect(String((wrongAuthority.client as { code: number }).code)).toMatch(NOT_REACHED);
    expect(wrongAuthority.worker).toMatchObject({
      name: 'TransportError',
      message: expect.stringContaining('InvalidCertificate(UnknownIssuer)'),
    });
    const { TEMPORAL_TLS_SERVER_NAME: _, ...unnamed } = right();
    for (const env of [unnamed, { ...right(), TEMPORAL_TLS_SERVER_NAME: 'redis.test' }]) {
      const wrongName = await refusals(env);
      expect(String((wrongName.client as { code: number }).code)).toMatch(NOT_REACHED);
      expect(wrongName.worker).toMatchObject({
        name: 'TransportError',
        message: expect.stringContaining('InvalidCertificate(NotValidForName'),
      });
    }
  });

  it('turns away who shows no certificate, or comes without TLS', async () => {
    const { TEMPORAL_TLS_CERTIFICATE: _, TEMPORAL_TLS_KEY: __, ...anonymous } = right();
    for (const env of [anonymous, { TEMPORAL_ADDRESS: right().TEMPORAL_ADDRESS }]) {
      const { client: ofClient, worker } = await refusals(env);
      expect(String((ofClient as { code: number }).code)).toMatch(NOT_REACHED);
      expect(worker).toMatchObject({ name: 'TransportError' });
    }
  });
});
