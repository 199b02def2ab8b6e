import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

import { loadConfig, loadSecretsConfig } from '../src/config/load';
import { EVERY_PROCESS } from '../src/config/processes';
import { type Config, variablesThatAre } from '../src/config/sections';
import { createSecretsProvider } from '../src/secrets/create-provider';

import { SECRETS_FILE, STACK_FILE } from './project';
import { DATABASE_NAME, SERVICE_ROLE } from './stack/postgres';
import { POSTGRES_SERVICE_PASSWORD } from './stack/secrets';

/** The embedded stack as its processes are told of it; nothing where it does not run. */
const embeddedEnvironment = (): Record<string, string> => {
  if (!existsSync(STACK_FILE) || !existsSync(SECRETS_FILE))
    throw new Error('Set DATABASE_URL and the keys, or run the embedded stack (npm start)');
  const { postgres, temporal } = JSON.parse(readFileSync(STACK_FILE, 'utf8')) as { postgres: string; temporal: string };
  const secrets = parseEnv(readFileSync(SECRETS_FILE, 'utf8')) as Record<string, string>;
  const address = new URL(postgres).host;
  const password = secrets[POSTGRES_SERVICE_PASSWORD] ?? '';
  return {
    ...secrets,
    DATABASE_URL: `postgresql://${SERVICE_ROLE}:${password}@${address}/${DATABASE_NAME}`,
    TEMPORAL_ADDRESS: temporal,
  };
};

/** The database, what seals and opens what is in it, and Temporal. */
const SECTIONS = [...EVERY_PROCESS, 'database', 'keys', 'security', 'temporal'] as const;

/**
 * The configuration of a command that does what a process would: that of the environment, as for the processes, or else
 * that of the running embedded stack.
 */
export const loadServiceConfig = async (): Promise<Config<(typeof SECTIONS)[number]>> => {
  const where = loadSecretsConfig();
  const provider = createSecretsProvider(where, variablesThatAre('secret', SECTIONS));
  const secrets = await provider.read();
  provider.close();
  const { DATABASE_URL, DATABASE_URL_FILE } = process.env;
  const isConfigured = Boolean(DATABASE_URL) || Boolean(DATABASE_URL_FILE) || where.provider !== 'env';
  const environment = isConfigured ? process.env : { ...process.env, ...embeddedEnvironment() };
  return loadConfig(SECTIONS, environment, { secrets });
};
