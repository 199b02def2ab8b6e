import {
  BatchGetSecretValueCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
  type SecretValueEntry,
} from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';

import type { SecretsConfig } from '../config/secrets.config';

import { type SecretsProvider, SecretsUnavailableError, type SecretValues } from './provider';

const PLACE = 'AWS Secrets Manager';
/** Secrets that one BatchGetSecretValue may ask for. */
const BATCH_SIZE = 20;
const ATTEMPTS = 3;

const variablesSchema = z.record(z.string(), z.string());

/** The code of AWS or of the system; the rest of a message may repeat what was asked with. */
const reasonOf = (error: unknown): string => {
  const { name, code } = error as { name?: string; code?: unknown };
  return typeof code === 'string' ? code : (name ?? 'unknown error');
};

/** @throws {SecretsUnavailableError} where it is no JSON object of texts */
const parseVariables = (secretId: string, text: string | undefined): SecretValues => {
  try {
    return variablesSchema.parse(JSON.parse(text ?? ''));
  } catch {
    // Without a cause: what JSON.parse says repeats a part of the text.
    throw new SecretsUnavailableError(`${PLACE}: ${secretId} is not a JSON object of texts by name`);
  }
};

const merge = (parts: readonly SecretValues[]): SecretValues => {
  const merged: Record<string, string> = {};
  for (const [name, value] of parts.flatMap((part) => Object.entries(part))) {
    if (name in merged) throw new SecretsUnavailableError(`${PLACE}: ${name} stands in two secrets`);
    merged[name] = value;
  }
  return merged;
};

/**
 * AWS Secrets Manager: secrets that hold a JSON object of variables, and secrets of one variable each, whose names are a
 * prefix and the name of the variable. Always the version AWSCURRENT.
 *
 * @param names of the variables that a secret of their own may hold
 */
export const createAwsSecretsProvider = (config: SecretsConfig['aws'], names: readonly string[]): SecretsProvider => {
  const { secretIds, prefix, endpoint, region, timeoutMs } = config;
  const client = new SecretsManagerClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: timeoutMs, requestTimeout: timeoutMs, throwOnRequestTimeout: true },
  });

  const asking = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof SecretsUnavailableError) throw error;
      throw new SecretsUnavailableError(`${PLACE}: ${what} cannot be read (${reasonOf(error)})`);
    }
  };

  const readJson = (secretId: string): Promise<SecretValues> =>
    asking(secretId, async () => {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
      return parseVariables(secretId, SecretString);
    });

  const readBatch = (ids: readonly string[]): Promise<SecretValueEntry[]> =>
    asking(ids[0] ?? 'nothing', async () => {
      const { SecretValues = [], Errors = [] } = await client.send(
        new BatchGetSecretValueCommand({ SecretIdList: [...ids] }),
      );
      // Not every variable has a secret of its own.
      const failed = Errors.find(({ ErrorCode }) => ErrorCode !== 'ResourceNotFoundException');
      if (failed === undefined) return SecretValues;
      const { SecretId = 'a secret', ErrorCode = 'unknown error' } = failed;
      throw new SecretsUnavailableError(`${PLACE}: ${SecretId} cannot be read (${ErrorCode})`);
    });

  const readPrefixed = async (start: string): Promise<SecretValues> => {
    const ids = names.map((name) => `${start}${name}`);
    const batches = Array.from({ length: Math.ceil(ids.length / BATCH_SIZE) }, (_, index) =>
      ids.slice(index * BATCH_SIZE, (index + 1) * BATCH_SIZE),
    );
    const entries = (await Promise.all(batches.map(readBatch))).flat();
    return Object.fromEntries(
      entries.map(({ Name = '', SecretString = '' }) => [Name.slice(start.length), SecretString]),
    );
  };

  return {
    read: async () =>
      merge(await Promise.all([...secretIds.map(readJson), ...(prefix === undefined ? [] : [readPrefixed(prefix)])])),
    close: () => client.destroy(),
  };
};
