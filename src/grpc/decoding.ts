import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { MethodDefinition } from '@grpc/grpc-js';

/** What arrived is no message. In its place: grpc-js would answer INTERNAL, which is not what is wrong. */
export const MALFORMED_MESSAGE: unique symbol = Symbol('malformed message');

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array): string => utf8.decode(bytes);

// The messages of a definition are as different as its methods.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Definition = Readonly<Record<string, MethodDefinition<any, any>>>;

/**
 * The definition with decoders that never throw, and that refuse text which is not UTF-8, as proto3 asks: to replace what is
 * wrong would make one password of many.
 */
export const decodingSafely = <D extends Definition>(definition: D): D =>
  Object.fromEntries(
    Object.entries(definition).map(([name, method]) => {
      const decode = method.requestDeserialize as (input: Uint8Array | BinaryReader) => unknown;
      const requestDeserialize = (bytes: Buffer): unknown => {
        try {
          return decode(new BinaryReader(bytes, decodeUtf8));
        } catch {
          return MALFORMED_MESSAGE;
        }
      };
      return [name, { ...method, requestDeserialize }];
    }),
  ) as D;
