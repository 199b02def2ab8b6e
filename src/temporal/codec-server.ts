import type { PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';

import type { JsonPayloads } from '../contracts/codec';
import { AppError } from '../contracts/errors';

const { Payload } = temporal.api.common.v1;

/**
 * Decodes payloads as the Temporal UI sends them (protobuf JSON). What was never encrypted passes as it is. There is no way
 * to encode: whoever could, could make payloads that pass for the service's own.
 *
 * @throws {AppError} `payload_not_decodable`, for the whole of them
 */
export const createRemoteDecoder =
  (codec: Pick<PayloadCodec, 'decode'>) =>
  async (payloads: JsonPayloads): Promise<JsonPayloads> => {
    try {
      const decoded = await codec.decode(payloads.map((payload) => Payload.fromObject(payload)));
      return decoded.map((payload) => Payload.toObject(Payload.create(payload), { bytes: String }));
    } catch (error) {
      throw new AppError('payload_not_decodable', { cause: error });
    }
  };
