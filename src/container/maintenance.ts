import { createDataKeyActivities } from '../activities/data-key';
import type { Config } from '../config/sections';
import { newDataKey } from '../keys/data-keys';
import { createDataKeyStates } from '../repositories/data-key-repository';
import { ENCRYPTED_COLUMNS, locationOf } from '../repositories/encrypted-columns';
import { createReencryptionRepository } from '../repositories/reencryption-repository';
import type { TemporalConnection } from '../temporal/connection';
import {
  countWorkflows,
  dataKeyRotationSchedule,
  noticeSweepSchedule,
  type RecurringWorkflow,
  renewSchedules,
  retentionSchedule,
  rotationSchedule,
} from '../temporal/schedules';

import type { Data } from './data';

type Recurring = Config<'tokens' | 'keys' | 'queue' | 'privacy'>;

/** Everything that happens by itself. */
export const recurringWorkflows = ({ tokens, keys, queue, privacy }: Recurring): readonly RecurringWorkflow[] => [
  rotationSchedule(tokens.signingKeys.rotationIntervalMs),
  dataKeyRotationSchedule(keys.checkIntervalMs),
  noticeSweepSchedule(queue.noticeSweepIntervalMs),
  retentionSchedule(privacy.retention.intervalMs),
];

export const buildDataKeyActivities = (config: Recurring, data: Data, client: TemporalConnection['client']) => {
  const { database, ciphers, rootKey, dataKeys, audit } = data;
  return createDataKeyActivities({
    states: createDataKeyStates(database, audit),
    dataKeys,
    make: (purpose) => newDataKey(rootKey, purpose, new Date()),
    columns: ENCRYPTED_COLUMNS,
    locate: locationOf,
    values: createReencryptionRepository(database.sql),
    ciphers,
    times: config.keys,
    countWorkflows: (before, only) => countWorkflows(client, before, only),
    renewSchedules: () => renewSchedules(client, recurringWorkflows(config)),
  });
};
