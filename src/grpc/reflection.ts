import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { BinaryReader } from '@bufbuild/protobuf/wire';
import { loadFileDescriptorSetFromBuffer, loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as HEALTH_PROTO } from 'grpc-health-check';

/** The contract, as buf built it in the set-up, and compiled with the code: a google.protobuf.FileDescriptorSet. */
const CONTRACT = join(__dirname, '..', 'generated', 'proto', 'descriptors.binpb');

/** The files of a FileDescriptorSet, whose only field is `file = 1`. */
const filesIn = (set: Buffer): Buffer[] => {
  const reader = new BinaryReader(set);
  const files: Buffer[] = [];
  while (reader.pos < reader.len) {
    reader.tag();
    files.push(Buffer.from(reader.bytes()));
  }
  return files;
};

/**
 * The service that tells tools such as grpcurl of services and messages. The descriptors are buf's own: those that proto-loader
 * makes anew leave out imports, so that grpcurl finds no google.protobuf.Timestamp.
 */
export const createReflection = (): ReflectionService => {
  // A file of the service itself.
  // eslint-disable-next-line security/detect-non-literal-fs-filename
  const set = readFileSync(CONTRACT);
  const fileDescriptorProtos = filesIn(set);
  const contract = Object.fromEntries(
    Object.entries(loadFileDescriptorSetFromBuffer(set)).map(([name, definition]) => [
      name,
      'fileDescriptorProtos' in definition ? { ...definition, fileDescriptorProtos } : definition,
    ]),
  ) as PackageDefinition;
  return new ReflectionService({ ...contract, ...loadSync(HEALTH_PROTO) });
};
