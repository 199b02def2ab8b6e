import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { freePort } from '../../tools/stack/ports';
import { eventually } from '../support/eventually';
import { type GatewayAlone, startGateway, startUpstream, type TestUpstream } from '../support/gateway';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver';

/** A gateway is a process like every other one, and needs nothing to run. */
const [INTERNAL_ERROR, SERVER, CLIENT] = [2, 2, 3];

let upstream: TestUpstream;
const seen: IncomingHttpHeaders[] = [];
beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    seen.push(request.headers);
    response.end('behind');
  });
});
afterAll(() => upstream.stop());

const open: { stop: () => Promise<void> }[] = [];
afterEach(async () => {
  seen.length = 0;
  for (const part of open.splice(0)) await part.stop();
});
const opened = async <T extends { stop: () => Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const part = await starting;
  open.unshift(part);
  return part;
};

const gatewayWith = (env: Readonly<Record<string, string>>): Promise<GatewayAlone> =>
  opened(
    startGateway(
      {
        services: {
          some: { upstreams: [{ url: upstream.url }] },
          gone: { upstreams: [{ url: 'http://127.0.0.1:1' }] },
        },
        routes: [
          { path: '/things/:thingId', service: 'some', auth: 'none' },
          { path: '/gone', service: 'gone', auth: 'none', timeout: '1s' },
        ],
      },
      env,
    ),
  );
const collecting = (): Promise<OtlpReceiver> => opened(startOtlpReceiver());

const newTrace = (flags = '01') => {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
};
const linesAbout = async (gateway: GatewayAlone, text: string): Promise<string[]> =>
  (await gateway.log()).split('\n').filter((line) => line.includes(text));

describe('a process with a collector', () => {
  it('sends a span for a request and one for each attempt, which the upstream is told of, over HTTP', async () => {
    const collector = await collecting();
    const gateway = await gatewayWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.httpUrl, OTEL_SERVICE_NAME: 'shop' });
    const trace = newTrace();
    const answer = await fetch(`${gateway.url}/things/sentinel-id?token=sentinel-token`, { headers: trace });
    expect(await answer.text()).toBe('behind');
    const spans = await collector.until('both', (all) => all.length >= 2);
    const [server, client] = [spans.find(({ kind }) => kind === SERVER), spans.find(({ kind }) => kind === CLIENT)];
    expect(server).toMatchObject({
      ...{ service: 'shop-gateway', name: 'GET /things/:thingId', traceId: trace.traceId, parentId: trace.spanId },
      attributes: { 'http.request.method': 'GET', 'http.route': '/things/:thingId', 'http.response.status_code': 200 },
    });
    expect(client).toMatchObject({ name: 'GET', traceId: trace.traceId, parentId: server?.spanId });
    expect(seen.at(-1)?.['traceparent']).toBe(`00-${trace.traceId}-${client?.spanId ?? ''}-01`);
    expect(spans.filter(({ text }) => text.includes('sentinel'))).toEqual([]);
    expect(await linesAbout(gateway, `"traceId":"${trace.traceId}"`)).toHaveLength(1);
  });

  it('marks what fails, by a code', async () => {
    const collector = await collecting();
    const gateway = await gatewayWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.httpUrl });
    expect((await fetch(`${gateway.url}/gone`, { method: 'POST' })).status).toBe(502);
    const spans = await collector.until('it', (all) => all.some(({ kind }) => kind === SERVER));
    expect(spans.find(({ kind }) => kind === SERVER)).toMatchObject({
      status: INTERNAL_ERROR,
      attributes: { 'error.type': 'bad_gateway', 'http.response.status_code': 502 },
    });
    expect(spans.find(({ kind }) => kind === CLIENT)).toMatchObject({
      status: INTERNAL_ERROR,
      attributes: { 'error.type': 'unreachable' },
    });
  });

  it('sends what is left when it ends', async () => {
    const collector = await collecting();
    const gateway = await gatewayWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.httpUrl });
    await (await fetch(`${gateway.url}/things/1`)).text();
    await gateway.process.stop();
    expect(collector.spans.map(({ kind }) => kind).sort()).toEqual([SERVER, CLIENT]);
  });

  it('whose collector refuses says so once, not for every batch, and again when it takes them', async () => {
    const collector = await collecting();
    const gateway = await gatewayWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.httpUrl });
    collector.refuse(true);
    await eventually('three batches', async () => {
      expect(await (await fetch(`${gateway.url}/things/1`)).text()).toBe('behind');
      return collector.refused() >= 3;
    });
    const lost = () => linesAbout(gateway, 'traces cannot be sent');
    await eventually('the line', async () => (await lost()).length > 0);
    expect(await lost()).toHaveLength(1);
    collector.refuse(false);
    await (await fetch(`${gateway.url}/things/1`)).text();
    await eventually('the other line', async () => (await linesAbout(gateway, 'traces are sent again')).length > 0);
    expect(await lost()).toHaveLength(1);
  });

  it('that cannot be reached serves all the same, and ends when it is asked to', async () => {
    const gateway = await gatewayWith({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${String(await freePort())}`,
      SHUTDOWN_TIMEOUT: '1s',
    });
    expect(await (await fetch(`${gateway.url}/things/1`)).text()).toBe('behind');
    await gateway.process.stop();
    expect(await linesAbout(gateway, '"stopped"')).toHaveLength(1);
  });
});

describe('which traces are recorded', () => {
  const flagsAfter = async (env: Readonly<Record<string, string>>, headers: Record<string, string>) => {
    const collector = await collecting();
    const gateway = await gatewayWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.httpUrl, ...env });
    await (await fetch(`${gateway.url}/things/1`, { headers })).text();
    const flags = seen.at(-1)?.['traceparent']?.slice(-2);
    await gateway.process.stop();
    return { flags, recorded: collector.spans.length > 0 };
  };
  const NONE = { OTEL_TRACES_SAMPLER_ARG: '0' };

  it('is the caller’s choice, where one is', async () => {
    expect(await flagsAfter(NONE, newTrace('01'))).toEqual({ flags: '01', recorded: true });
  });

  it('is the share of all others', async () => {
    expect(await flagsAfter(NONE, {})).toEqual({ flags: '00', recorded: false });
    expect(await flagsAfter({}, newTrace('00'))).toEqual({ flags: '00', recorded: false });
  });

  it('is not what strangers say, where it is told not to believe them', async () => {
    const env = { OTEL_TRACES_SAMPLER: 'traceidratio' };
    expect(await flagsAfter({ ...env, ...NONE }, newTrace('01'))).toEqual({ flags: '00', recorded: false });
    expect(await flagsAfter(env, newTrace('00'))).toEqual({ flags: '01', recorded: true });
  });
});
