import type { DataConverter } from '@temporalio/common';

import type { KeyRing } from '../config/fields';

import { createPayloadCodec } from './payload-codec';

export const FAILURE_CONVERTER_PATH = require.resolve('./failure-converter');

/** The one data converter of clients, workers and replays. */
export const createDataConverter = (keys: KeyRing): DataConverter => ({
  payloadCodecs: [createPayloadCodec(keys)],
  failureConverterPath: FAILURE_CONVERTER_PATH,
});
