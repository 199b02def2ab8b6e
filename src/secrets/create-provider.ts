import type { SecretsConfig } from '../config/secrets.config';

import { createAwsSecretsProvider } from './aws-secrets-manager';
import { environmentProvider, type SecretsProvider } from './provider';

/** Where the secrets are, as configured. @param names of the variables that are secrets */
export const createSecretsProvider = ({ provider, aws }: SecretsConfig, names: readonly string[]): SecretsProvider => {
  switch (provider) {
    case 'env':
      return environmentProvider;
    case 'aws-secrets-manager':
      return createAwsSecretsProvider(aws, names);
  }
};
