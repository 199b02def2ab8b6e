import { describe, expect, test } from '@jest/globals';

import { createLogCapture } from '../../test/support/serve-app';
import { createMetrics } from '../observability/metrics';
import { postgresIndicator } from './indicators';
import { startOperationsServer } from '../api/operations-server';
import { createReadiness } from './readiness';

const up = () => Promise.resolve();
const refused = () =>
  Promise.reject(Object.assign(new Error('connect to db.internal as admin'), { code: 'ECONNREFUSED' }));

describe('readiness', () => {
  test('tells of each check by a code, not by the text of its error', async () => {
    const report = await createReadiness({ postgres: refused, redis: up }, { timeoutMs: 50 }).check();
    expect(report).toMatchObject({
      status: 'not_ready',
      checks: { postgres: { status: 'down', error: 'ECONNREFUSED' }, redis: { status: 'up' } },
    });
    expect(JSON.stringify(report)).not.toContain('internal');
  });
  test('checks run at once, each within its time', async () => {
    const never = () => new Promise<void>(() => undefined);
    const started = performance.now();
    const report = await createReadiness({ a: never, b: never, c: up }, { timeoutMs: 100 }).check();
    expect(performance.now() - started).toBeLessThan(190);
    expect(report.checks).toMatchObject({ a: { error: 'timeout' }, b: { error: 'timeout' }, c: { status: 'up' } });
  });
  test('a failing check that is optional degrades, and no more', async () => {
    const readiness = createReadiness({ redis: refused, postgres: up }, { timeoutMs: 50, optional: ['redis'] });
    expect((await readiness.check()).status).toBe('degraded');
  });
  test('many probes make one check, and the result grows old', async () => {
    let calls = 0;
    const query = async (sql: string) => {
      calls += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return sql;
    };
    const readiness = createReadiness({ postgres: postgresIndicator({ query }) }, { timeoutMs: 500, cacheMs: 50 });
    await Promise.all(Array.from({ length: 100 }, () => readiness.check()));
    await readiness.check();
    expect(calls).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 80));
    await readiness.check();
    expect(calls).toBe(2);
  });
});

test('the operations server answers the three endpoints and tells of a shutdown at once', async () => {
  const readiness = createReadiness({ postgres: up, redis: refused }, { timeoutMs: 50, optional: ['redis'] });
  const { logger } = createLogCapture();
  const server = await startOperationsServer({
    host: '127.0.0.1',
    port: 0,
    readiness,
    metrics: createMetrics(),
    logger,
  });
  const get = (path: string) => fetch(`http://127.0.0.1:${server.address.port}${path}`);
  try {
    expect(await (await get('/healthz')).json()).toEqual({ status: 'alive' });
    const ready = await get('/readyz');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ status: 'degraded', checks: { redis: { error: 'ECONNREFUSED' } } });
    const metrics = await get('/metrics');
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(await metrics.text()).toMatch(
      /http_request_duration_seconds_count\{method="GET",route="\/readyz",status="200"\} 1/,
    );
    readiness.beginShutdown();
    const leaving = await get('/readyz');
    expect([leaving.status, await leaving.json()]).toEqual([503, { status: 'shutting_down', checks: {} }]);
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/api/docs')).status).toBe(404);
  } finally {
    await server.close(1_000);
  }
});
