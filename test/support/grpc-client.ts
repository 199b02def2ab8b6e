import {
  Client,
  type ClientOptions,
  type ClientReadableStream,
  credentials as grpcCredentials,
  type ChannelCredentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { afterAll, beforeAll } from '@jest/globals';
import { ErrorInfo, LocalizedMessage, RequestInfo, RetryInfo } from 'nice-grpc-error-details';
import { Status } from 'nice-grpc-error-details/lib/proto/google/rpc/status';

import { BadRequest } from '../../clients/typescript/src/generated/google/rpc/error_details';
import { AuthServiceService, type WatchRevocationsResponse } from '../../src/generated/proto/auth/v1/auth';

import type { TestService } from './service';

type Methods = typeof AuthServiceService;
export type UnaryMethod = Exclude<keyof Methods, 'watchRevocations'>;
type RequestOf<N extends UnaryMethod> = Parameters<Methods[N]['requestSerialize']>[0];
type ResponseOf<N extends UnaryMethod> = ReturnType<Methods[N]['responseDeserialize']>;

export interface GrpcOptions {
  /** Beside the authorization of the caller. */
  readonly metadata?: Readonly<Record<string, string | Buffer>>;
  /** Milliseconds from now. */
  readonly timeoutMs?: number;
  /** Another service token than the client's; none at all with `null`. */
  readonly serviceToken?: string | null;
  readonly signal?: AbortSignal;
}

/** What a call came to. */
export interface GrpcAnswer<Message> {
  /** Name of the status, such as `OK`. */
  readonly code: keyof typeof status;
  /** What the status says in words; empty for `OK`. */
  readonly text: string;
  readonly message: Message | undefined;
  readonly headers: Metadata;
  /** ErrorInfo: the code of the HTTP API. */
  readonly reason: string | undefined;
  readonly domain: string | undefined;
  /** BadRequest: what is wrong with which field. */
  readonly violations: readonly { readonly field: string; readonly reason: string }[];
  /** RetryInfo. */
  readonly retryAfterMs: number | undefined;
  readonly localized: { readonly locale: string; readonly message: string } | undefined;
  readonly requestId: string | undefined;
  /** Whatever was in the trailers besides. */
  readonly trailers: Metadata;
}

const DEFAULT_TIMEOUT_MS = 20_000;
const DETAILS = 'grpc-status-details-bin';
const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';

/** What stands in `grpc-status-details-bin`. @throws when it disagrees with the status itself */
const decodeDetails = ({ metadata, code, details: text }: ServiceError) => {
  const [bytes] = metadata.get(DETAILS);
  if (!Buffer.isBuffer(bytes)) return { violations: [] };
  const rich = Status.decode(bytes);
  if (rich.code !== (code as number) || rich.message !== text)
    throw new Error(`The details say ${String(rich.code)} ${rich.message}, the status ${String(code)} ${text}`);
  const find = <T>(name: string, { decode }: { readonly decode: (value: Uint8Array) => T }): T | undefined => {
    const found = rich.details.filter(({ typeUrl }) => typeUrl === `${TYPE_PREFIX}${name}`);
    if (found.length > 1) throw new Error(`The details hold ${name} more than once`);
    return found[0] && decode(found[0].value);
  };
  const [info, retry] = [find('ErrorInfo', ErrorInfo), find('RetryInfo', RetryInfo)];
  const localized = find('LocalizedMessage', LocalizedMessage);
  return {
    reason: info?.reason,
    domain: info?.domain,
    violations: find('BadRequest', BadRequest)?.fieldViolations ?? [],
    retryAfterMs: retry?.retryDelay && retry.retryDelay.seconds * 1_000 + retry.retryDelay.nanos / 1e6,
    localized: localized && { locale: localized.locale, message: localized.message },
    requestId: find('RequestInfo', RequestInfo)?.requestId,
  };
};

const NOTHING = {
  reason: undefined,
  domain: undefined,
  violations: [],
  retryAfterMs: undefined,
  localized: undefined,
  requestId: undefined,
};

export interface RevocationWatch {
  readonly stream: ClientReadableStream<WatchRevocationsResponse>;
  /** All so far, `ready` among them. */
  readonly seen: readonly WatchRevocationsResponse['message'][];
  /** What came to its end; undefined where the server ended it with `OK`. */
  readonly ended: Promise<ServiceError | undefined>;
  cancel(): void;
}

/** Calls the server as another service would. */
export const createGrpcClient = (
  address: string,
  serviceToken: string | undefined,
  channelCredentials: ChannelCredentials = grpcCredentials.createInsecure(),
  channelOptions: ClientOptions = {},
) => {
  const client = new Client(address, channelCredentials, channelOptions);

  const metadataOf = ({ metadata = {}, serviceToken: token = serviceToken }: GrpcOptions): Metadata => {
    const result = new Metadata();
    if (token !== undefined && token !== null) result.set('authorization', `Bearer ${token}`);
    for (const [key, value] of Object.entries(metadata)) result.set(key, value);
    return result;
  };
  const callOptions = ({ timeoutMs = DEFAULT_TIMEOUT_MS }: GrpcOptions) => ({ deadline: Date.now() + timeoutMs });

  const unary = <Request, Response>(
    path: string,
    serialize: (request: Request) => Buffer,
    deserialize: (bytes: Buffer) => Response,
    request: Request,
    options: GrpcOptions,
  ): Promise<GrpcAnswer<Response>> =>
    new Promise((resolve, reject) => {
      let headers = new Metadata();
      let trailers = new Metadata();
      let outcome: { error: ServiceError | null; message: Response | undefined } | undefined;
      const settle = (): void => {
        if (outcome === undefined) return;
        const { error, message } = outcome;
        try {
          const common = { headers, trailers, message };
          if (error === null) resolve({ ...NOTHING, ...common, code: 'OK', text: '' });
          else
            resolve({
              ...{ ...NOTHING, ...common, ...decodeDetails(error) },
              code: status[error.code] as keyof typeof status,
              text: error.details,
            });
        } catch (problem) {
          reject(new Error('The details of the error cannot be read', { cause: problem }));
        }
      };
      const call = client.makeUnaryRequest(
        path,
        serialize,
        deserialize,
        request,
        metadataOf(options),
        callOptions(options),
        (error, message) => {
          outcome = { error, message };
        },
      );
      call.on('metadata', (metadata) => {
        headers = metadata;
      });
      // The last thing that happens, after the callback.
      call.on('status', ({ metadata }) => {
        trailers = metadata;
        setImmediate(settle);
      });
      options.signal?.addEventListener('abort', () => {
        call.cancel();
      });
    });

  return {
    client,
    metadataOf,
    /** Fields that are left out have the value that they have on the wire. */
    call: <N extends UnaryMethod>(
      name: N,
      request: Partial<RequestOf<N>> = {},
      options: GrpcOptions = {},
    ): Promise<GrpcAnswer<ResponseOf<N>>> => {
      const { path, requestSerialize, requestDeserialize, responseDeserialize } = AuthServiceService[name];
      const whole = { ...requestDeserialize(Buffer.alloc(0)), ...request };
      return unary(
        path,
        requestSerialize as (value: unknown) => Buffer,
        responseDeserialize as (bytes: Buffer) => ResponseOf<N>,
        whole,
        options,
      );
    },
    /** Sends bytes as a message of any method. */
    raw: (path: string, bytes: Buffer, options: GrpcOptions = {}): Promise<GrpcAnswer<Buffer>> => {
      const asItIs = (value: Buffer): Buffer => value;
      return unary(path, asItIs, asItIs, bytes, options);
    },
    watch: (cursor?: string, options: GrpcOptions = {}): RevocationWatch => {
      const { path, requestSerialize, responseDeserialize } = AuthServiceService.watchRevocations;
      const deadline = options.timeoutMs === undefined ? {} : callOptions(options);
      const stream = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { cursor },
        metadataOf(options),
        deadline,
      );
      const seen: WatchRevocationsResponse['message'][] = [];
      stream.on('data', ({ message }: WatchRevocationsResponse) => seen.push(message));
      const ended = new Promise<ServiceError | undefined>((resolve) => {
        stream.once('error', (error) => {
          resolve(error as ServiceError);
        });
        stream.once('end', () => {
          setImmediate(resolve, undefined);
        });
      });
      return {
        stream,
        seen,
        ended,
        cancel: () => {
          stream.cancel();
        },
      };
    },
    close: () => {
      client.close();
    },
  };
};
export type GrpcClient = ReturnType<typeof createGrpcClient>;

/** The token that the embedded stack gave itself. */
export const stackToken = ({ stack }: Pick<TestService, 'stack'>): string =>
  /^stack:(.+)$/.exec(stack.env['GRPC_SERVICE_TOKENS'] ?? '')?.[1] ?? '';

export const grpcClientOf = (service: TestService, channelOptions?: ClientOptions): GrpcClient =>
  createGrpcClient(service.grpcAddress, stackToken(service), undefined, channelOptions);

/** A client for all tests of the file or block; to be asked for after the service. */
export const useGrpcClient = (service: TestService, channelOptions?: ClientOptions): GrpcClient => {
  const client = {} as GrpcClient;
  beforeAll(() => {
    Object.assign(client, grpcClientOf(service, channelOptions));
  });
  afterAll(() => {
    client.close();
  });
  return client;
};

/** The message of a call that must have gone well. @throws with what came instead */
export const messageOf = <Message>({ code, reason, text, violations, message }: GrpcAnswer<Message>): Message => {
  if (message === undefined) throw new Error(`${code} ${reason ?? text} ${JSON.stringify(violations)}`);
  return message;
};
