import { readFileSync } from 'node:fs';

import { parse, YAMLParseError } from 'yaml';
import type { z } from 'zod';

import { configFields } from './fields';

/** Values of a configuration file as the environment would hold them, and what is wrong with it. Values are never shown. */
export interface FileContent {
  readonly values: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** A list is what the environment writes with commas; a map is `name=value` with commas. */
const toText = (value: unknown): string | undefined => {
  if (isPlain(value)) return String(value);
  if (Array.isArray(value)) return value.every(isPlain) ? value.join(',') : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = Object.entries(value);
  return entries.every(([, part]) => isPlain(part))
    ? entries.map(([name, part]) => `${name}=${part}`).join(',')
    : undefined;
};

const toContent = (document: unknown, variables: Readonly<Record<string, z.ZodType>>): FileContent => {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return { values: {}, problems: ['CONFIG_FILE: must be a map of variables; write {} for none'] };
  }
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const [name, value] of Object.entries(document)) {
    const field = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const text = toText(value);
    // What stands in the place of a name may be a value; only a name that could be one is shown.
    if (field === undefined) {
      problems.push(`CONFIG_FILE: ${/^[A-Z][A-Z0-9_]{1,63}$/.test(name) ? name : 'one of its keys'} is no variable`);
    } else if (name === 'CONFIG_FILE') problems.push('CONFIG_FILE: cannot name another file');
    else if (configFields.get(field)?.secret === true) {
      problems.push(`CONFIG_FILE: ${name} is a secret and belongs into ${name}_FILE`);
    } else if (text === undefined) problems.push(`CONFIG_FILE: ${name} must be a value, a list or a map of values`);
    else if (text !== '') values[name] = text;
  }
  return { values, problems };
};

/** Reads a YAML file of variables by name. @param text what the file holds, where it has been read already */
export const readConfigFile = (
  file: string,
  variables: Readonly<Record<string, z.ZodType>>,
  text?: string,
): FileContent => {
  try {
    // The operator names this file; that is what CONFIG_FILE is for.
    // eslint-disable-next-line security/detect-non-literal-fs-filename
    return toContent(parse(text ?? readFileSync(file, 'utf8')), variables);
  } catch (error) {
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    const reason =
      error instanceof Error && 'code' in error && !(error instanceof YAMLParseError)
        ? `cannot be read (${String(error.code)})`
        : `is not YAML${line === undefined ? '' : ` (line ${line})`}`;
    return { values: {}, problems: [`CONFIG_FILE: ${reason}`] };
  }
};
