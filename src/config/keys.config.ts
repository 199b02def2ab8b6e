import { z } from 'zod';

import { choice, describe, duration, optionalHttpUrl, optionalSecretKeyRing, split } from './fields';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Not an alias, which could be pointed to another key unseen. */
const KMS_KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/;

export const keysEnv = z.object({
  ROOT_KEY_PROVIDER: choice(
    ['local', 'aws-kms'],
    'local',
    'Which root key wraps data keys: the first of ROOT_KEYS or the first of ROOT_KMS_KEY_ID; all of both unwrap',
  ),
  ROOT_KEYS: optionalSecretKeyRing(
    'Root keys, which wrap the data keys that the database keeps; required with ROOT_KEY_PROVIDER=local',
  ),
  ROOT_KMS_KEY_ID: describe(
    z
      .string()
      .transform(split)
      .refine((arns) => arns.every((arn) => KMS_KEY_ARN.test(arn)), 'must be ARNs of keys (arn:aws:kms:...:key/...)')
      .prefault(''),
    {
      description: 'Root keys in AWS KMS; required with ROOT_KEY_PROVIDER=aws-kms',
      format: 'comma-separated ARNs of keys, no aliases; the first wraps, all unwrap',
    },
  ),
  ROOT_KMS_ENDPOINT: optionalHttpUrl('Another address of KMS than those of the regions of its keys'),
  DATA_KEY_ROTATION_INTERVAL: duration('90d', 'A new data key of each purpose encrypts so often', SECOND_MS),
  DATA_KEY_PROPAGATION: duration(
    '10m',
    'Every process knows a new data key within this time, and no longer encrypts under the one before',
    SECOND_MS,
  ),
});

/** The key hierarchy. Times are milliseconds. */
export const toKeysConfig = (env: z.output<typeof keysEnv>) => ({
  root: {
    provider: env.ROOT_KEY_PROVIDER,
    local: env.ROOT_KEYS,
    kms: { keyArns: env.ROOT_KMS_KEY_ID, endpoint: env.ROOT_KMS_ENDPOINT },
  },
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

/** What is missing for the root key that was chosen. */
export const keysProblems = (values: Readonly<Record<string, string>>, unreadable: ReadonlySet<string>): string[] => {
  const needed = values['ROOT_KEY_PROVIDER'] === 'aws-kms' ? 'ROOT_KMS_KEY_ID' : 'ROOT_KEYS';
  return values[needed] === undefined && !unreadable.has(needed) ? [`${needed}: is required and not set`] : [];
};
