import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createProcesses, type ServiceProcess } from '../../tools/processes';
import { eventually } from '../support/eventually';
import { createHttpClient, type HttpClient } from '../support/http-client';
import { newPerson, signUp } from '../support/people';
import { fullProof } from '../support/proofs';
import { type SecondApi, startSecondApi } from '../support/second-process';
import { useTestService } from '../support/service';

const START_TIMEOUT_MS = 60_000;
const CALLERS = 6;

/** What became of the requests of one kind: answers by status and code. */
type Tally = Record<string, number>;

describe('upstreams that are killed under load', () => {
  let second: SecondApi;
  let gateway: ServiceProcess;
  afterAll(async () => {
    await gateway.stop();
    await second.process.stop();
  }, START_TIMEOUT_MS);
  // Longer than the probes of the gateway are apart.
  const ENV = { RATE_LIMIT_MODE: 'observe', SHUTDOWN_DRAIN: '1500ms' };
  const service = useTestService({ env: ENV });
  let token: string;
  let http: HttpClient;

  const startGateway = async (urls: readonly string[]): Promise<void> => {
    const env = { NODE_ENV: 'test', RATE_LIMIT_MODE: 'observe', AUTH_SERVICE_URLS: urls.join(',') };
    gateway = createProcesses(service.stack, { env }).gateway;
    await gateway.start();
    http = createHttpClient(service.gatewayUrl);
  };
  beforeAll(async () => {
    second = await startSecondApi(service, ENV);
    await startGateway([service.apiUrl, second.url]);
    token = (await signUp(service, newPerson())).body.accessToken as string;
  }, START_TIMEOUT_MS);

  /** Asks until `isOver`, several at once, and counts what comes. */
  const load = (isOver: () => boolean, ask: () => Promise<{ status: number; body: { code?: string } }>) => {
    const tally: Tally = {};
    const caller = async (): Promise<void> => {
      while (!isOver()) {
        const what = await ask().then(
          ({ status, body }) => (status < 300 ? 'ok' : `${String(status)} ${body.code ?? ''}`),
          (error: unknown) => String(error),
        );
        tally[what] = (tally[what] ?? 0) + 1;
      }
    };
    const done = Promise.all(Array.from({ length: CALLERS }, caller));
    return { tally, done };
  };

  const profile = () => http.get('/v1/users/me', { token });
  const change = (headers: Record<string, string> = {}) =>
    http.send('PATCH', '/v1/users/me', { token, headers, body: { firstName: 'Abebe' } });
  const changeWithKey = () => change({ 'idempotency-key': randomUUID() });

  /** Kills and restarts under all three kinds of load. */
  const underLoad = async (disturb: () => Promise<void>) => {
    let isOver = false;
    const loads = { profile, changeWithKey, change: () => change() };
    const running = Object.entries(loads).map(([name, ask]) => [name, load(() => isOver, ask)] as const);
    const enough = (least: number) => () =>
      Promise.resolve(running.every(([, { tally }]) => (tally['ok'] ?? 0) >= least));
    await eventually('the load', enough(50));
    await disturb();
    const before = Math.max(...running.map(([, { tally }]) => tally['ok'] ?? 0));
    await eventually('the load to go on', enough(before + 20));
    isOver = true;
    await Promise.all(running.map(([, { done }]) => done));
    return Object.fromEntries(running.map(([name, { tally }]) => [name, tally])) as Record<keyof typeof loads, Tally>;
  };
  const others = (tally: Tally): string[] => Object.keys(tally).filter((what) => what !== 'ok');

  it('one of two: nothing that may be repeated fails, the rest fails once with 502', async () => {
    const tallies = await underLoad(async () => {
      await second.process.kill();
      await second.process.start();
      await service.processes.api.kill();
      await service.processes.api.start();
    });
    expect(others(tallies.profile)).toEqual([]);
    expect(others(tallies.changeWithKey)).toEqual([]);
    // As many as were under way at the two kills, and no more.
    expect(others(tallies.change).filter((what) => what !== '502 bad_gateway')).toEqual([]);
    expect(tallies.change['502 bad_gateway'] ?? 0).toBeLessThanOrEqual(2 * CALLERS);
  });

  fullProof('a rolling restart fails nothing at all', async () => {
    const tallies = await underLoad(async () => {
      await second.process.restart();
      await service.processes.api.restart();
    });
    expect([...others(tallies.profile), ...others(tallies.changeWithKey)]).toEqual([]);
    expect(others(tallies.change)).toEqual([]);
  });

  fullProof('the only one: what may be repeated waits for it, the rest is told at once', async () => {
    await gateway.stop();
    await startGateway([service.apiUrl]);
    const tallies = await underLoad(async () => {
      await service.processes.api.kill();
      await service.processes.api.start();
    });
    expect(others(tallies.profile)).toEqual([]);
    expect(others(tallies.changeWithKey)).toEqual([]);
    const refusals = others(tallies.change);
    expect(refusals.filter((what) => !/^(502 bad_gateway|503 service_unavailable)$/.test(what))).toEqual([]);
    expect(refusals).not.toEqual([]);
  });
});
