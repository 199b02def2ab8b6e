import { z } from 'zod';

import { duration, secretKeyRing } from './fields';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

export const keysEnv = z.object({
  ROOT_KEYS: secretKeyRing('Root keys, which wrap the data keys that the database keeps'),
  DATA_KEY_ROTATION_INTERVAL: duration('90d', 'A new data key of each purpose encrypts so often', SECOND_MS),
  DATA_KEY_PROPAGATION: duration(
    '10m',
    'Every process knows a new data key within this time, and no longer encrypts under the one before',
    SECOND_MS,
  ),
});

/** The key hierarchy. Times are milliseconds. */
export const toKeysConfig = (env: z.output<typeof keysEnv>) => ({
  rootKeys: env.ROOT_KEYS,
  rotationIntervalMs: env.DATA_KEY_ROTATION_INTERVAL,
  /** So often it is looked whether a key is due, and whether an old one can be put away. */
  checkIntervalMs: Math.min(DAY_MS, env.DATA_KEY_ROTATION_INTERVAL),
  propagationMs: env.DATA_KEY_PROPAGATION,
  /** Age at which a process asks the database for the keys again. */
  refreshAfterMs: Math.min(MINUTE_MS, env.DATA_KEY_PROPAGATION / 4),
  /** Age up to which it uses them while the database does not answer. */
  staleAfterMs: env.DATA_KEY_PROPAGATION / 2,
});
export type KeysConfig = ReturnType<typeof toKeysConfig>;
