import type { SecretsConfig } from '../config/secrets.config';

import type * as awsSecretsManager from './aws-secrets-manager';
import { environmentProvider, type SecretsProvider } from './provider';

/** The SDK of AWS is loaded by whoever uses it. */
const loadAws = () =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an `import` cannot wait, and `import()` is not for CommonJS
  require('./aws-secrets-manager') as typeof awsSecretsManager;

/** Where the secrets are, as configured. @param names of the variables that are secrets */
export const createSecretsProvider = ({ provider, aws }: SecretsConfig, names: readonly string[]): SecretsProvider => {
  switch (provider) {
    case 'env':
      return environmentProvider;
    case 'aws-secrets-manager':
      return loadAws().createAwsSecretsProvider(aws, names);
  }
};
