import { readFileSync } from 'node:fs';

import { z } from 'zod';

import { readConfigFile } from './config-file';
import { configFields } from './fields';
import { productionProblems } from './production';
import { type SecretsConfig, secretsEnv, secretsProblems, toSecretsConfig } from './secrets.config';
import { type Config, type SectionName, SECTIONS, variablesOf, variablesThatAre } from './sections';
import { tlsProblems } from './tls.config';

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

type Shape = ReturnType<typeof variablesOf>;
/** Of all sections: a name in `CONFIG_FILE` or at the provider is known or not whoever reads it. */
const VARIABLES = variablesOf();
const SECRETS = new Set(variablesThatAre('secret'));

/** Whether the variable may be given as `NAME_FILE`. */
const hasFile = (field: z.ZodType): boolean => {
  const meta = configFields.get(field);
  return meta?.secret === true || meta?.file === true;
};

/** Takes secrets from their provider, and them and certificates from the files of `NAME_FILE`; an empty variable is not set. */
const readValues = (shape: Shape, environment: Environment, secrets: Readonly<Record<string, string>>): Values => {
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
const withFile = (shape: Shape, { values, problems, unreadable }: Values, fileText: string | undefined): Values => {
  const file = values['CONFIG_FILE'];
  if (file === undefined) return { values, problems, unreadable };
  const content = readConfigFile(file, VARIABLES, fileText);
  const ours = Object.entries(content.values).filter(([name]) => Object.hasOwn(shape, name));
  return {
    values: { ...Object.fromEntries(ours), ...values },
    problems: [...problems, ...content.problems],
    unreadable,
  };
};

const readSources = (shape: Shape, { environment = process.env, secrets = {}, fileText }: Sources): Values =>
  withFile(shape, readValues(shape, environment, secrets), fileText);

/** The text of every variable of these sections that is set, by the environment, the provider of secrets or `CONFIG_FILE`. */
export const readSettings = (
  sections: readonly SectionName[],
  sources: Sources = {},
): Readonly<Record<string, string>> => readSources(variablesOf(sections), sources).values;

/** Names of variables that the provider holds and nothing takes from it: they are no secrets, or misspelt. */
export const unknownSecrets = (secrets: Readonly<Record<string, string>>): string[] =>
  Object.keys(secrets).filter((name) => !SECRETS.has(name));

/** Where secrets come from, which is asked before all else. @throws {ConfigError} */
export const loadSecretsConfig = (environment: Environment = process.env): SecretsConfig => {
  const { values } = readSources(variablesOf(['app', 'secrets']), { environment });
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
 * Reads and checks these sections, and no variable of another one.
 *
 * @throws {ConfigError} naming every problem at once
 */
export const loadConfig = <const S extends SectionName>(
  sections: readonly S[],
  environment: Environment = process.env,
  sources: Omit<Sources, 'environment'> = {},
): Config<S> => {
  const shape = variablesOf(sections);
  const { values, problems, unreadable } = readSources(shape, { environment, ...sources });
  const parsed = z.object(shape).safeParse(values);
  if (!parsed.success) problems.push(...issuesOf(parsed.error, { values, problems, unreadable }));
  for (const name of sections) problems.push(...SECTIONS[name].problems(values, unreadable));
  problems.push(...tlsProblems(values, unreadable));
  if (values['NODE_ENV'] === 'production') problems.push(...productionProblems(values));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(sections.map((name) => [name, SECTIONS[name].read(parsed.data as never)])) as Config<S>;
};
