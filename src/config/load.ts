import { readFileSync } from 'node:fs';

import { z } from 'zod';

import { appEnv, toAppConfig } from './app.config';
import { readConfigFile } from './config-file';
import { databaseEnv, databaseTlsProblems, toDatabaseConfig } from './database.config';
import { configFields } from './fields';
import { keysEnv, keysProblems, toKeysConfig } from './keys.config';
import { limitsEnv, toLimitsConfig } from './limits.config';
import { mailEnv, toMailConfig } from './mail.config';
import { pinoEnv, toPinoConfig } from './pino.config';
import { privacyEnv, toPrivacyConfig } from './privacy.config';
import { productionProblems } from './production';
import { queueEnv, toQueueConfig } from './queue.config';
import { redisEnv, toRedisConfig } from './redis.config';
import { type SecretsConfig, secretsEnv, secretsProblems, toSecretsConfig } from './secrets.config';
import { securityEnv, toSecurityConfig } from './security.config';
import { smsEnv, smsProblems, toSmsConfig } from './sms.config';
import { temporalEnv, toTemporalAddress, toTemporalConfig } from './temporal.config';
import { serverTlsEnv, tlsProblems, toServerTls } from './tls.config';
import { toWebauthnConfig, webauthnEnv, webauthnProblems } from './webauthn.config';

/** Every section of the configuration, in the order in which `env.example` shows them. */
export const ENV_SECTIONS = {
  app: appEnv,
  tls: serverTlsEnv,
  secrets: secretsEnv,
  database: databaseEnv,
  redis: redisEnv,
  queue: queueEnv,
  temporal: temporalEnv,
  mail: mailEnv,
  sms: smsEnv,
  security: securityEnv,
  keys: keysEnv,
  webauthn: webauthnEnv,
  privacy: privacyEnv,
  limits: limitsEnv,
  pino: pinoEnv,
} as const;

const environmentSchema = z.object({
  ...appEnv.shape,
  ...serverTlsEnv.shape,
  ...secretsEnv.shape,
  ...databaseEnv.shape,
  ...redisEnv.shape,
  ...queueEnv.shape,
  ...temporalEnv.shape,
  ...mailEnv.shape,
  ...smsEnv.shape,
  ...securityEnv.shape,
  ...keysEnv.shape,
  ...webauthnEnv.shape,
  ...privacyEnv.shape,
  ...limitsEnv.shape,
  ...pinoEnv.shape,
});

/** The configuration is unusable; `problems` names every variable that is wrong and never shows a value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration has ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a configuration is read from. */
export interface Sources {
  /** Variables by name; the process's own by default. */
  readonly environment?: Environment;
  /** What the provider of secrets holds, by variable; nothing by default. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** What `CONFIG_FILE` holds, where it has been read already. */
  readonly fileText?: string | undefined;
}

/** Environment variables as they are to be parsed, and what is wrong with them already. */
interface Values {
  readonly values: Record<string, string>;
  readonly problems: string[];
  /** Variables that have a problem already: that they are missing as well says nothing new. */
  readonly unreadable: ReadonlySet<string>;
}

/** The text of a file without the line break that editors and `echo` end it with, or what is wrong with it. */
const readSecret = (file: string): { readonly content: string } | { readonly problem: string } => {
  try {
    // The operator names this file; that is what NAME_FILE is for.
    // eslint-disable-next-line security/detect-non-literal-fs-filename
    const content = readFileSync(file, 'utf8').replace(/[\r\n]+$/, '');
    return content === '' ? { problem: 'the file is empty' } : { content };
  } catch (error) {
    return { problem: `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` };
  }
};

/** Names of the variables that are secrets, that may stand in a file, or that may change while the process runs. */
export const variablesThatAre = (property: 'secret' | 'file' | 'reloadable'): string[] =>
  Object.entries(environmentSchema.shape)
    .filter(([, field]) => configFields.get(field)?.[property] === true)
    .map(([name]) => name);
const SECRETS = new Set(variablesThatAre('secret'));

/** Whether the variable may be given as `NAME_FILE`. */
const hasFile = (field: z.ZodType): boolean => {
  const meta = configFields.get(field);
  return meta?.secret === true || meta?.file === true;
};

/** Takes secrets from their provider, and them and certificates from the files of `NAME_FILE`; an empty variable is not set. */
const readValues = (
  environment: Environment,
  secrets: Readonly<Record<string, string>> = {},
  shape: Readonly<Record<string, z.ZodType>> = environmentSchema.shape,
): Values => {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  const unreadable = new Set<string>();
  for (const [name, field] of Object.entries(shape)) {
    const value = environment[name];
    if (value !== undefined && value !== '') values[name] = value;
    if (!hasFile(field)) continue;
    const held = SECRETS.has(name) ? secrets[name] : undefined;
    const file = environment[`${name}_FILE`] ?? '';
    if ([values[name], held, file].filter(Boolean).length > 1) {
      problems.push(`${name}: set one of ${name}, ${name}_FILE and the secret of its provider, not several`);
      continue;
    }
    if (held !== undefined) values[name] = held;
    if (file === '') continue;
    const read = readSecret(file);
    if ('content' in read) values[name] = read.content;
    else {
      problems.push(`${name}_FILE: ${read.problem}`);
      unreadable.add(name);
    }
  }
  return { values, problems, unreadable };
};

/** What the file says, under what the environment says. Its text is given where it has been read already. */
const withFile = ({ values, problems, unreadable }: Values, fileText: string | undefined): Values => {
  const file = values['CONFIG_FILE'];
  if (file === undefined) return { values, problems, unreadable };
  const content = readConfigFile(file, environmentSchema.shape, fileText);
  return { values: { ...content.values, ...values }, problems: [...problems, ...content.problems], unreadable };
};

const readSources = ({ environment = process.env, secrets = {}, fileText }: Sources): Values =>
  withFile(readValues(environment, secrets), fileText);

/** The text of every variable that is set, by the environment, the provider of secrets or `CONFIG_FILE`. */
export const readSettings = (sources: Sources = {}): Readonly<Record<string, string>> => readSources(sources).values;

/** Names of variables that the provider holds and nothing takes from it: they are no secrets, or misspelt. */
export const unknownSecrets = (secrets: Readonly<Record<string, string>>): string[] =>
  Object.keys(secrets).filter((name) => !SECRETS.has(name));

/** Where secrets come from, which is asked before all else. @throws {ConfigError} */
export const loadSecretsConfig = (environment: Environment = process.env): SecretsConfig => {
  const { values } = readSources({ environment });
  const parsed = secretsEnv.safeParse(values);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)),
    ...secretsProblems(values),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return toSecretsConfig(parsed.data);
};

/** What is wrong with the values of a section, beside what was wrong with reading them. */
const issuesOf = (error: z.ZodError, { values, unreadable }: Values): string[] =>
  error.issues.flatMap(({ path, message }) => {
    const name = path.join('.');
    if (unreadable.has(name)) return [];
    return [`${name}: ${values[name] === undefined ? 'is required and not set' : message}`];
  });

/**
 * Reads and checks the whole configuration.
 *
 * @throws {ConfigError} naming every problem at once
 */
export const loadConfig = (environment: Environment = process.env, sources: Omit<Sources, 'environment'> = {}) => {
  const { values, problems, unreadable } = readSources({ environment, ...sources });
  const parsed = environmentSchema.safeParse(values);
  if (!parsed.success) problems.push(...issuesOf(parsed.error, { values, problems, unreadable }));
  problems.push(...secretsProblems(values), ...keysProblems(values, unreadable), ...smsProblems(values, unreadable));
  problems.push(...tlsProblems(values, unreadable), ...databaseTlsProblems(values));
  problems.push(...webauthnProblems(values));
  if (values['NODE_ENV'] === 'production') problems.push(...productionProblems(values));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return {
    app: { ...toAppConfig(parsed.data), tls: toServerTls(parsed.data) },
    secrets: toSecretsConfig(parsed.data),
    database: toDatabaseConfig(parsed.data),
    redis: toRedisConfig(parsed.data),
    queue: toQueueConfig(parsed.data),
    temporal: toTemporalConfig(parsed.data),
    mail: toMailConfig(parsed.data),
    sms: toSmsConfig(parsed.data),
    security: toSecurityConfig(parsed.data),
    keys: toKeysConfig(parsed.data),
    webauthn: toWebauthnConfig(parsed.data),
    privacy: toPrivacyConfig(parsed.data),
    limits: toLimitsConfig(parsed.data),
    pino: toPinoConfig(parsed.data),
  };
};
export type Config = ReturnType<typeof loadConfig>;

/** One section alone, for what needs no more and is not given more. @throws {ConfigError} */
const loadSection = <T extends z.ZodObject>(
  schema: T,
  environment: Environment,
  check: (values: Record<string, string>, unreadable: ReadonlySet<string>) => string[],
  secrets: Readonly<Record<string, string>> = {},
): z.output<T> => {
  const read = readValues(environment, secrets, schema.shape);
  const parsed = schema.safeParse(read.values);
  const problems = [...read.problems, ...(parsed.success ? [] : issuesOf(parsed.error, read))];
  problems.push(...check(read.values, read.unreadable));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return parsed.data;
};

/** How to reach PostgreSQL, without the rest of the configuration. @throws {ConfigError} */
export const loadDatabaseConfig = (environment: Environment = process.env) =>
  toDatabaseConfig(
    loadSection(databaseEnv, environment, (values, unreadable) => [
      ...tlsProblems(values, unreadable),
      ...databaseTlsProblems(values),
    ]),
  );

/** How to reach Redis, without the rest of the configuration. @throws {ConfigError} */
export const loadRedisConfig = (environment: Environment = process.env) =>
  toRedisConfig(loadSection(redisEnv, environment, tlsProblems));

/** How to reach Temporal, without the rest of the configuration. @throws {ConfigError} */
export const loadTemporalAddress = (environment: Environment = process.env) =>
  toTemporalAddress(loadSection(temporalEnv, environment, tlsProblems));
