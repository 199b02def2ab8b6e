import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';

import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';

import { configFields } from '../src/config/fields';
import { loadConfig } from '../src/config/load';
import { SECTION_NAMES, SECTIONS } from '../src/config/sections';

import { renderEnvExample } from './env-example';

const committed = readFileSync(resolve(__dirname, '../env.example'), 'utf8');
const fields = Object.values(SECTIONS).flatMap(({ env }) => Object.entries<z.ZodType>(env.shape));

/** Secrets have no defaults, so a configuration needs these. */
const key = Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64');
const SECRETS = {
  DATABASE_URL: 'postgresql://meqenet:local@localhost:5432/meqenet_auth',
  ROOT_KEYS: `k1:${key}`,
  BLIND_INDEX_KEY: key,
  TOKEN_KEY: key,
  GATEWAY_SECRET: key,
};

describe('env.example', () => {
  it('agrees with the schemas (run `npm run env:example`)', () => {
    expect(committed).toBe(renderEnvExample());
  });

  it('names every variable once, each with its description', () => {
    const names = [...committed.matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name);
    expect(names).toEqual(fields.map(([name]) => name));
    const text = committed.replaceAll('\n# ', ' ');
    for (const [, schema] of fields) expect(text).toContain(`${configFields.get(schema)?.description ?? 'none'}.`);
  });

  it('can be loaded as a dotenv file, and holds the defaults', () => {
    expect(loadConfig(SECTION_NAMES, { ...parseEnv(committed), ...SECRETS })).toEqual(
      loadConfig(SECTION_NAMES, SECRETS),
    );
  });

  it('gives no secret a value, and names its file', () => {
    const loaded = parseEnv(committed);
    const secrets = fields.filter(([, schema]) => configFields.get(schema)?.secret === true).map(([name]) => name);
    expect(secrets.length).toBeGreaterThan(0);
    for (const name of secrets) {
      expect(loaded).not.toHaveProperty(name);
      expect(committed).toContain(`${name}_FILE`);
    }
  });

  it('says of every variable whether it may change while running', () => {
    // A sentence may go on in the next line.
    expect(committed.replaceAll('\n# ', ' ').match(/Takes effect at a restart|May change while running/g)).toHaveLength(
      fields.length,
    );
  });
});
