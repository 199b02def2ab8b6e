import type { DataConverter } from '@temporalio/common';

import type { DataKeys } from '../contracts/keys';

import { createPayloadCodec } from './payload-codec';

export const FAILURE_CONVERTER_PATH = require.resolve('./failure-converter');

/** The one data converter of clients, workers and replays. */
export const createDataConverter = (dataKeys: DataKeys): DataConverter => ({
  payloadCodecs: [createPayloadCodec(dataKeys)],
  failureConverterPath: FAILURE_CONVERTER_PATH,
});
