import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseEnv } from 'node:util';

const randomKey = (): string => randomBytes(32).toString('base64');
const randomKeyRing = (): string => `dev1:${randomKey()}`;
const randomServiceToken = (): string => `stack:${randomBytes(32).toString('base64url')}`;

/** How each secret of a developer's machine is made; the formats are those of src/config/fields.ts. */
const SERVICE_SECRETS: Readonly<Record<string, () => string>> = {
  ROOT_KEYS: randomKeyRing,
  BLIND_INDEX_KEY: randomKey,
  TOKEN_KEY: randomKey,
  GRPC_SERVICE_TOKENS: randomServiceToken,
  GATEWAY_SECRET: randomKey,
};
const POSTGRES_PASSWORD = 'POSTGRES_PASSWORD';
export const POSTGRES_SERVICE_PASSWORD = 'POSTGRES_SERVICE_PASSWORD';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Secrets {
  /** Of the embedded database, whose data keeps them: of its owner, and of the role of the processes. */
  readonly postgresPassword: string;
  readonly postgresServicePassword: string;
  /** By the names of the variables that carry them to the service. */
  readonly service: Record<string, string>;
}

const readKept = (file: string): Environment => (existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {});

const write = (file: string, secrets: Readonly<Record<string, string>>): void => {
  mkdirSync(dirname(file), { recursive: true });
  const lines = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`);
  writeFileSync(file, lines.join(''), { mode: 0o600 });
  // The mode above counts only for a new file.
  chmodSync(file, 0o600);
};

/**
 * The development secrets of one stack: made once, kept in a file that only its owner reads, and never printed.
 * Where the environment sets one, by value or by file, that one is used and not written down.
 */
export const loadSecrets = (file: string, environment: Environment): Secrets => {
  const kept = readKept(file);
  const keptPassword = (name: string): string => kept[name] ?? randomBytes(24).toString('base64url');
  const postgresPassword = keptPassword(POSTGRES_PASSWORD);
  const postgresServicePassword = keptPassword(POSTGRES_SERVICE_PASSWORD);
  const service = Object.fromEntries(
    Object.entries(SERVICE_SECRETS).map(([name, generate]) => [name, kept[name] ?? generate()]),
  );
  write(file, {
    [POSTGRES_PASSWORD]: postgresPassword,
    [POSTGRES_SERVICE_PASSWORD]: postgresServicePassword,
    ...service,
  });
  const isConfigured = (name: string): boolean => Boolean(environment[name]) || Boolean(environment[`${name}_FILE`]);
  const generated = Object.entries(service).filter(([name]) => !isConfigured(name));
  return { postgresPassword, postgresServicePassword, service: Object.fromEntries(generated) };
};
