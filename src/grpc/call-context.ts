import { isIP } from 'node:net';

import { Metadata, type ServerUnaryCall, type ServerWritableStream } from '@grpc/grpc-js';

import type { RequestHeaders } from '../api/route';
import { traceIdOf } from '../contracts/trace-context';

/** A call, whatever its messages are. */
export type AnyCall = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

/** What is known of a call before its message is looked at. */
export interface CallContext {
  /** The service that calls. */
  readonly caller: string;
  readonly requestId: string;
  /** Address of the person's device, as the caller says; else that of the caller. */
  readonly ip: string;
  readonly headers: RequestHeaders;
  /** Whether nobody waits for the answer any more. */
  readonly isOver: () => boolean;
  /** W3C trace id, where the caller sent one. */
  readonly traceId: string | undefined;
  /** Metadata that comes after the answer, whatever it is. */
  readonly trailers: Metadata;
}

/** The one value of a key; the last where a client sends several. */
export const metadataValue = (metadata: Metadata, key: string): string | undefined => {
  const value = metadata.get(key).at(-1);
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** `ipv4:1.2.3.4:5`, `1.2.3.4:5` or `[::1]:5` without the port. */
const peerAddress = (peer: string): string => {
  const address = peer
    .replace(/^ipv[46]:/, '')
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1');
  return isIP(address) === 0 ? '0.0.0.0' : address;
};

/** @param requestIdOf takes the id that the caller sent over, or makes one */
export const readContext = (
  call: AnyCall,
  caller: string,
  requestIdOf: (given: string | undefined) => string,
): CallContext => {
  const value = (key: string): string | undefined => metadataValue(call.metadata, key);
  const address = value('x-client-address');
  return {
    caller,
    traceId: traceIdOf(value('traceparent')),
    trailers: new Metadata(),
    isOver: () => call.cancelled,
    requestId: requestIdOf(value('x-request-id')),
    ip: address !== undefined && isIP(address) !== 0 ? address : peerAddress(call.getPeer()),
    headers: {
      userAgent: value('x-client-user-agent'),
      acceptLanguage: value('accept-language'),
      idempotencyKey: value('idempotency-key'),
      deviceId: value('x-device-id'),
      deviceToken: value('x-device-token'),
    },
  };
};
