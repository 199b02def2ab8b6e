import { type ChannelCredentials, type ChannelOptions, credentials, Metadata } from '@grpc/grpc-js';

/** How the server is known, and how this service shows who it is. */
export type Security =
  | {
      readonly kind: 'tls';
      /** Certificates (PEM) of who may vouch for the server; those of the system where left out. */
      readonly ca?: Buffer;
      /** For mutual TLS: certificate and key (PEM) of this service. */
      readonly certificate?: Buffer;
      readonly privateKey?: Buffer;
    }
  /** Everybody on the way reads passwords and tokens: for this machine, or inside a mesh that encrypts. */
  | { readonly kind: 'plaintext' };

export interface ConnectOptions {
  /** `host:port` */
  readonly address: string;
  readonly security: Security;
  /** Of this service; a function is asked for each call, so that a token may change. Not needed with mutual TLS. */
  readonly serviceToken?: string | (() => string | Promise<string>);
  /** Of calls that name none: 5 s. `watchRevocations` has none. */
  readonly deadlineMs?: number;
  /** Further options of the channel (grpc-js). */
  readonly channel?: ChannelOptions;
}

const SERVICE = 'auth.v1.AuthService';
/** What reads only. A repeated login or refresh could count twice, so they are left to whoever calls. */
const REPEATABLE = ['ValidateToken', 'GetUser'];

/** gRPC's own retries: up to 4 more attempts in some 4 s where the server could not be reached, fewer where many fail. */
const SERVICE_CONFIG = {
  methodConfig: [
    {
      name: REPEATABLE.map((method) => ({ service: SERVICE, method })),
      retryPolicy: {
        maxAttempts: 5,
        initialBackoff: '0.2s',
        maxBackoff: '2s',
        backoffMultiplier: 2.5,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
  retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
};

export const channelOptions = (more: ChannelOptions = {}): ChannelOptions => ({
  'grpc.service_config': JSON.stringify(SERVICE_CONFIG),
  // A dead connection is noticed while a stream waits: after 20 s of silence, and 5 s without an answer.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // After a loss the connection is tried again as soon as calls are; the default is a second.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5_000,
  ...more,
});

const bearer = async (token: NonNullable<ConnectOptions['serviceToken']>): Promise<string> =>
  `Bearer ${typeof token === 'string' ? token : await token()}`;

/** Over TLS gRPC sends the service token with every call, and refuses to on a channel without. */
export const channelCredentials = ({ security, serviceToken }: ConnectOptions): ChannelCredentials => {
  if (security.kind === 'plaintext') return credentials.createInsecure();
  const { ca, certificate, privateKey } = security;
  const channel = credentials.createSsl(ca ?? null, privateKey ?? null, certificate ?? null);
  if (serviceToken === undefined) return channel;
  const call = credentials.createFromMetadataGenerator((_context, callback) => {
    bearer(serviceToken).then(
      (value) => {
        const metadata = new Metadata();
        metadata.set('authorization', value);
        callback(null, metadata);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
  });
  return credentials.combineChannelCredentials(channel, call);
};

/** What a call sends along: on a plaintext channel the service token goes here. */
export const callMetadata = async (
  { security, serviceToken }: ConnectOptions,
  values: Readonly<Record<string, string>> = {},
): Promise<Metadata> => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  if (security.kind === 'plaintext' && serviceToken !== undefined)
    metadata.set('authorization', await bearer(serviceToken));
  return metadata;
};
