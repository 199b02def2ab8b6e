import { z } from 'zod';

import { choice, duration, list, optionalHttpUrl, optionalText } from './fields';

const SECOND_MS = 1_000;

export const secretsEnv = z.object({
  SECRETS_PROVIDER: choice(
    ['env', 'aws-secrets-manager'],
    'env',
    'Where secrets come from besides the environment and the files of NAME_FILE',
  ),
  SECRETS_REFRESH_INTERVAL: duration(
    '5m',
    'Secrets and the files of NAME_FILE are read anew so often, give or take a tenth',
    SECOND_MS,
  ),
  SECRETS_TIMEOUT: duration('5s', 'Longest time for one attempt to read secrets; there are three'),
  SECRETS_MANAGER_SECRET_IDS: list(
    '',
    'Secrets of AWS Secrets Manager, by name or ARN, each a JSON object of variables by name',
  ),
  SECRETS_MANAGER_PREFIX: optionalText(
    'Beginning of the names of secrets that hold one variable each, such as meqenet/auth/ for meqenet/auth/TOKEN_KEY',
  ),
  SECRETS_MANAGER_ENDPOINT: optionalHttpUrl('Another address of Secrets Manager than that of the region'),
  AWS_REGION: optionalText('Region of AWS; credentials are found as every program of AWS finds them'),
});

/** Where secrets come from. Times are milliseconds. */
export const toSecretsConfig = (env: z.output<typeof secretsEnv>) => ({
  provider: env.SECRETS_PROVIDER,
  refreshIntervalMs: env.SECRETS_REFRESH_INTERVAL,
  aws: {
    secretIds: env.SECRETS_MANAGER_SECRET_IDS,
    prefix: env.SECRETS_MANAGER_PREFIX,
    endpoint: env.SECRETS_MANAGER_ENDPOINT,
    region: env.AWS_REGION,
    timeoutMs: env.SECRETS_TIMEOUT,
  },
});
export type SecretsConfig = ReturnType<typeof toSecretsConfig>;

/** What is missing for the provider that was chosen. */
export const secretsProblems = (values: Readonly<Record<string, string>>): string[] =>
  values['SECRETS_PROVIDER'] === 'aws-secrets-manager' &&
  values['SECRETS_MANAGER_SECRET_IDS'] === undefined &&
  values['SECRETS_MANAGER_PREFIX'] === undefined
    ? ['SECRETS_PROVIDER: aws-secrets-manager needs SECRETS_MANAGER_SECRET_IDS or SECRETS_MANAGER_PREFIX']
    : [];
