import { randomBytes } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure, defaultPayloadConverter, type Payload } from '@temporalio/common';

import { staticDataKeys } from '../../test/support/static-keys';

import { createPayloadCodec } from './payload-codec';
import { failureConverter } from './failure-converter';

const key = randomBytes(32);
const codec = createPayloadCodec(staticDataKeys({ k1: key }));
const secret = 'a sentinel that must not be readable';
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);

const encodeOne = async (payload: Payload): Promise<Payload> => {
  const [encoded] = await codec.encode([payload]);
  if (encoded === undefined) throw new Error('The codec lost a payload');
  return encoded;
};

describe('the payload codec', () => {
  it('hides values and their encoding, and gives them back', async () => {
    const encoded = await encodeOne(payloadOf({ email: secret }));
    expect(Buffer.from(encoded.data ?? []).toString('latin1')).not.toContain(secret);
    expect(Buffer.from(encoded.metadata?.['encoding'] ?? []).toString()).toBe('binary/encrypted');
    expect(Buffer.from(encoded.metadata?.['encryption-key-id'] ?? []).toString()).toBe('k1');
    const [decoded] = await codec.decode([encoded]);
    expect(defaultPayloadConverter.fromPayload(decoded ?? {})).toEqual({ email: secret });
  });

  it('leaves payloads alone that it did not make', async () => {
    const plain = payloadOf('plain');
    expect(await codec.decode([plain])).toEqual([plain]);
  });

  it('refuses a payload that was altered or whose key is unknown', async () => {
    const encoded = await encodeOne(payloadOf(secret));
    const altered = Buffer.from(encoded.data ?? []);
    altered.writeUInt8(altered.readUInt8(20) ^ 1, 20);
    await expect(codec.decode([{ ...encoded, data: altered }])).rejects.toThrow();
    const stranger = createPayloadCodec(staticDataKeys({ k2: randomBytes(32) }));
    await expect(stranger.decode([encoded])).rejects.toThrow('No key k1');
  });

  it('decodes what a retired key encrypted', async () => {
    const rotated = createPayloadCodec(staticDataKeys({ k2: randomBytes(32), k1: key }));
    const [decoded] = await rotated.decode([await encodeOne(payloadOf(secret))]);
    expect(defaultPayloadConverter.fromPayload(decoded ?? {})).toBe(secret);
  });

  it('gets the messages and stacks of failures as payloads', () => {
    const failure = failureConverter.errorToFailure(
      ApplicationFailure.nonRetryable(secret, 'SOME_TYPE'),
      defaultPayloadConverter,
    );
    expect(failure.message).toBe('Encoded failure');
    expect(failure.stackTrace ?? '').toBe('');
    expect(JSON.stringify(defaultPayloadConverter.fromPayload(failure.encodedAttributes ?? {}))).toContain(secret);
  });
});
