import { z } from 'zod';

import { describe, flag, integer, port, reloadable, split } from './fields';

/** A service that may call, and what it shows for it. */
export interface ServiceToken {
  readonly caller: string;
  readonly token: string;
}

/** 32 characters of base64 or hexadecimal hold more than 128 bits. */
const SERVICE_TOKEN = /^([a-z0-9][a-z0-9-]{0,31}):([A-Za-z0-9+/_=-]{32,256})$/;
const FORMAT = 'comma-separated <caller>:<token>, tokens of at least 32 characters; a caller may have several';

/** Names entries by position: in a malformed list even a name may be a part of a token. */
const toServiceTokens = (value: string, context: z.RefinementCtx): ServiceToken[] =>
  split(value).map((entry, index) => {
    const [, caller, token] = SERVICE_TOKEN.exec(entry) ?? [];
    if (caller !== undefined && token !== undefined) return { caller, token };
    context.addIssue({ code: 'custom', message: `must be ${FORMAT}; entry ${String(index + 1)} is not` });
    return z.NEVER;
  });

export const grpcEnv = z.object({
  GRPC_PORT: port(50_051, 'Port of the gRPC server of the auth service'),
  GRPC_SERVICE_TOKENS: reloadable(
    describe(z.string().transform(toServiceTokens).optional(), {
      description:
        'Services that may call, and their tokens; with SERVER_TLS_CLIENT_CA a client certificate does as well. Without both every call is refused',
      format: FORMAT,
      secret: true,
      example: 'orders:<openssl rand -base64 32>',
    }),
  ),
  GRPC_REFLECTION: flag(false, 'Whether tools such as grpcurl may ask for the services and messages'),
  GRPC_MAX_CALLS: integer(1_000, 1, 100_000, 'Calls that one connection may have under way at the same time'),
});

/** The gRPC server. */
export const toGrpcConfig = (env: z.output<typeof grpcEnv>) => ({
  port: env.GRPC_PORT,
  serviceTokens: env.GRPC_SERVICE_TOKENS ?? [],
  reflection: env.GRPC_REFLECTION,
  maxCalls: env.GRPC_MAX_CALLS,
});
export type GrpcConfig = ReturnType<typeof toGrpcConfig>;
