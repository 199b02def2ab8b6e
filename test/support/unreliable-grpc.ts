import {
  Client,
  credentials,
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js';

import { AuthServiceService } from '../../src/generated/proto/auth/v1/auth';

import type { UnaryMethod } from './grpc-client';

/** Stands before a gRPC server, and is UNAVAILABLE for the first calls of some methods. */
export interface UnreliableGrpc {
  readonly address: string;
  /** The calls that have come, those that were not passed on among them. */
  readonly calls: Readonly<Partial<Record<UnaryMethod, number>>>;
  close(): void;
}

const asItIs = (bytes: Buffer): Buffer => bytes;

export const startUnreliableGrpc = async (
  target: string,
  failing: Readonly<Partial<Record<UnaryMethod, number>>>,
): Promise<UnreliableGrpc> => {
  const client = new Client(target, credentials.createInsecure());
  const server = new Server();
  const calls: Partial<Record<UnaryMethod, number>> = {};

  const pass =
    (name: UnaryMethod, path: string) =>
    ({ request, metadata }: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
      const count = (calls[name] = (calls[name] ?? 0) + 1);
      if (count <= (failing[name] ?? 0)) {
        callback({ code: status.UNAVAILABLE, details: 'Not now' });
        return;
      }
      const sent = new Metadata();
      for (const value of metadata.get('authorization')) sent.add('authorization', value);
      client.makeUnaryRequest(path, asItIs, asItIs, request, sent, callback);
    };

  const { watchRevocations: _, ...unary } = AuthServiceService;
  for (const [name, { path }] of Object.entries(unary) as [UnaryMethod, { path: string }][])
    server.register(path, pass(name, path), asItIs, asItIs, 'unary');
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    address: `127.0.0.1:${String(port)}`,
    calls,
    close: () => {
      server.forceShutdown();
      client.close();
    },
  };
};
