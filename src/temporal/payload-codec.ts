import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec, ValueError } from '@temporalio/common';
import { temporal } from '@temporalio/proto';

import type { KeyRing } from '../config/fields';
import { open, seal } from '../crypto/aead';

/** Of a payload that this codec made; the name is the one of Temporal's own encryption samples. */
const ENCODING = 'binary/encrypted';
const KEY_ID_METADATA = 'encryption-key-id';

const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('utf8');
const bytes = (value: string): Uint8Array => Buffer.from(value, 'utf8');

/** Binds a payload to its purpose, so that no other value sealed under the same key passes for one. */
const associatedData = (keyId: string): string => `temporal-payload/${keyId}`;

/**
 * Encrypts everything that Temporal stores (arguments, results, failures, memos, summaries) with AES-256-GCM, the key's id
 * in the metadata. Decoding takes any key of the ring, so that keys can be changed while workflows run.
 */
export const createPayloadCodec = ({ activeKeyId, keys }: KeyRing): PayloadCodec => {
  const activeKey = keys.get(activeKeyId);
  if (activeKey === undefined) throw new Error('The key ring has no active key');

  const encode = (payload: Payload): Payload => ({
    metadata: { [METADATA_ENCODING_KEY]: bytes(ENCODING), [KEY_ID_METADATA]: bytes(activeKeyId) },
    data: seal(activeKey, temporal.api.common.v1.Payload.encode(payload).finish(), associatedData(activeKeyId)),
  });

  const decode = (payload: Payload): Payload => {
    if (text(payload.metadata?.[METADATA_ENCODING_KEY]) !== ENCODING) return payload;
    const keyId = text(payload.metadata?.[KEY_ID_METADATA]);
    const key = keys.get(keyId);
    if (key === undefined) throw new ValueError(`No key ${keyId} to decode a payload with`);
    return temporal.api.common.v1.Payload.decode(open(key, payload.data ?? new Uint8Array(), associatedData(keyId)));
  };

  return {
    encode: (payloads) => Promise.resolve(payloads.map(encode)),
    // Async, so that a payload that cannot be opened rejects instead of throwing.
    decode: async (payloads) => Promise.resolve(payloads.map(decode)),
  };
};
