import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from '@jest/globals';
import { NativeConnection } from '@temporalio/worker';

import { loadConfig } from '../../../src/config/load';
import { toAddress } from '../../../src/temporal/address';
import { createTemporalConnection } from '../../../src/temporal/connection';
import { ensureSchedule, rotationSchedule } from '../../../src/temporal/schedules';
import { DIST_DIR, PROJECT_ROOT } from '../../../tools/project';
import { useMutualTlsProxy } from '../../support/mutual-tls';
import { useStack } from '../../support/stack';
import { staticDataKeys } from '../../support/static-keys';

const run = promisify(execFile);
const keys = staticDataKeys({ k1: randomBytes(32) });
const stack = useStack('temporal');
const target = () => ({ alpn: ['h2'], targetPort: stack.ports.temporal });
const { tls, proxy, env: trusting } = useMutualTlsProxy({ name: 'temporal.test', prefix: 'TEMPORAL', target });

const address = () => ({ TEMPORAL_ADDRESS: `127.0.0.1:${String(proxy().port)}` });
const right = () => ({ ...address(), ...trusting() });
type Env = Record<string, string>;
const config = (env: Env) => loadConfig(['temporal'], { ...stack.env, ...env }).temporal;

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
    expect([...proxy().protocols]).toEqual([expect.stringMatching(/^TLSv1\.[23]$/)]);
  });

  it('is not talked to when a stranger vouches for it, or it has another name', async () => {
    const wrongAuthority = await refusals({ ...right(), TEMPORAL_TLS_CA: tls.stranger.cert });
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
    for (const env of [anonymous, address()]) {
      const { client: ofClient, worker } = await refusals(env);
      expect(String((ofClient as { code: number }).code)).toMatch(NOT_REACHED);
      expect(worker).toMatchObject({ name: 'TransportError' });
    }
  });
});
