import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec, ValueError } from '@temporalio/common';
import { temporal } from '@temporalio/proto';

import type { DataKeys } from '../contracts/keys';
import { open, seal } from '../crypto/aead';

/** Of a payload that this codec made; the name is the one of Temporal's own encryption samples. */
const ENCODING = 'binary/encrypted';
const KEY_ID_METADATA = 'encryption-key-id';

const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('utf8');
const bytes = (value: string): Uint8Array => Buffer.from(value, 'utf8');

/** Binds a payload to its purpose, so that no other value sealed under the same key passes for one. */
const associatedData = (keyId: string): string => `temporal-payload/${keyId}`;

/**
 * Encrypts everything that Temporal stores (arguments, results, failures, memos, summaries) with AES-256-GCM, the data key's
 * id in the metadata. Decoding takes any key that still decrypts, so that keys can be changed while workflows run.
 */
export const createPayloadCodec = (dataKeys: DataKeys): PayloadCodec => {
  const decode = async (payload: Payload): Promise<Payload> => {
    if (text(payload.metadata?.[METADATA_ENCODING_KEY]) !== ENCODING) return payload;
    const keyId = text(payload.metadata?.[KEY_ID_METADATA]);
    const key = await dataKeys.find('codec', keyId);
    if (key === undefined) throw new ValueError(`No key ${keyId} to decode a payload with`);
    return temporal.api.common.v1.Payload.decode(open(key, payload.data ?? new Uint8Array(), associatedData(keyId)));
  };

  return {
    async encode(payloads) {
      const { id, key } = await dataKeys.active('codec');
      return payloads.map((payload) => ({
        metadata: { [METADATA_ENCODING_KEY]: bytes(ENCODING), [KEY_ID_METADATA]: bytes(id) },
        data: seal(key, temporal.api.common.v1.Payload.encode(payload).finish(), associatedData(id)),
      }));
    },
    decode: (payloads) => Promise.all(payloads.map(decode)),
  };
};
