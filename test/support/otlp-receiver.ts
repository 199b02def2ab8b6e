import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { type GrpcObject, type handleUnaryCall, loadPackageDefinition, Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

import { eventually } from './eventually';

/** A span as the collector gets it; ids are hexadecimal digits. */
export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly kind: number;
  /** 2 for a failure. */
  readonly status: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  /** Everything, as text. */
  readonly text: string;
}

/** A collector of traces that speaks OTLP, over gRPC and over HTTP. */
export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`, with the protocol `grpc` or `http/protobuf`. */
  readonly grpcUrl: string;
  readonly httpUrl: string;
  readonly spans: readonly ReceivedSpan[];
  /** Headers or metadata of every request. */
  readonly headers: readonly IncomingHttpHeaders[];
  /** Waits until spans have come that are what is looked for. */
  readonly until: (
    what: string,
    isThere: (spans: readonly ReceivedSpan[]) => boolean,
  ) => Promise<readonly ReceivedSpan[]>;
  /** Takes nothing over HTTP from now on, or again. */
  readonly refuse: (isRefusing: boolean) => void;
  /** Requests that were refused. */
  readonly refused: () => number;
  readonly stop: () => Promise<void>;
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>> & { readonly value: string };
}
interface RawSpan {
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentSpanId: Buffer;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code: number } | null;
  readonly attributes: readonly KeyValue[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly KeyValue[] }[];
}
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

const toRecord = (pairs: readonly KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(
    pairs.map(({ key, value }) => [key, value.value === 'intValue' ? Number(value['intValue']) : value[value.value]]),
  );

const toSpans = ({ resourceSpans }: Export): ReceivedSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service: String(toRecord(resource.attributes)['service.name']),
        traceId: span.traceId.toString('hex'),
        spanId: span.spanId.toString('hex'),
        parentId: span.parentSpanId.toString('hex'),
        ...{ name: span.name, kind: span.kind, status: span.status?.code ?? 0 },
        attributes: toRecord(span.attributes),
        events: span.events.map(({ name, attributes }) => ({ name, attributes: toRecord(attributes) })),
        text: JSON.stringify([resource, span]),
      })),
    ),
  );

const PACKAGE = 'opentelemetry.proto.collector.trace.v1';
const DEFINITION = loadSync(join(__dirname, 'otlp.proto'), { defaults: true, oneofs: true, longs: String });
const SERVICE = (
  PACKAGE.split('.').reduce((object, name) => object[name] as GrpcObject, loadPackageDefinition(DEFINITION))[
    'TraceService'
  ] as { service: Parameters<Server['addService']>[0] }
).service;

const serveHttp = async (take: (request: Export, headers: IncomingHttpHeaders) => void, isRefused: () => boolean) => {
  const decode = (SERVICE['Export'] as unknown as { requestDeserialize: (body: Buffer) => Export }).requestDeserialize;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await request.toArray());
    if (isRefused()) response.statusCode = 400;
    else if (request.url === '/v1/traces') take(decode(body), request.headers);
    else response.statusCode = 404;
    response.setHeader('Content-Type', 'application/x-protobuf').end();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const serveGrpc = async (take: (request: Export, headers: IncomingHttpHeaders) => void) => {
  const server = new Server();
  const exportTraces: handleUnaryCall<Export, object> = ({ request, metadata }, done) => {
    take(request, metadata.toJSON() as IncomingHttpHeaders);
    done(null, {});
  };
  server.addService(SERVICE, { Export: exportTraces });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { url: `http://127.0.0.1:${String(port)}`, stop: () => server.forceShutdown() };
};

export const startOtlpReceiver = async (): Promise<OtlpReceiver> => {
  const spans: ReceivedSpan[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const take = (request: Export, sent: IncomingHttpHeaders): void => {
    spans.push(...toSpans(request));
    headers.push(sent);
  };
  let [isRefusing, refused] = [false, 0];
  const isRefused = (): boolean => {
    if (isRefusing) refused += 1;
    return isRefusing;
  };
  const [http, grpc] = await Promise.all([serveHttp(take, isRefused), serveGrpc(take)]);
  return {
    ...{ grpcUrl: grpc.url, httpUrl: http.url, spans, headers },
    until: (what, isThere) => eventually(what, () => Promise.resolve(isThere(spans) ? spans : undefined)),
    refuse: (value) => {
      isRefusing = value;
    },
    refused: () => refused,
    stop: async () => {
      grpc.stop();
      await http.stop();
    },
  };
};
