import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { loadConfig } from '../../src/config/load';
import { SECTION_NAMES } from '../../src/config/sections';

import { loadSecrets } from './secrets';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meqenet-secrets-'));
  file = join(folder, 'secrets.env');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the service accepts what is generated', () => {
  const { service, postgresPassword } = loadSecrets(file, {});
  const DATABASE_URL = `postgresql://meqenet:${postgresPassword}@localhost:5432/meqenet_auth`;
  expect(() => loadConfig(SECTION_NAMES, { ...service, DATABASE_URL })).not.toThrow();
});

test('secrets are made once and read by their owner only', () => {
  const first = loadSecrets(file, {});
  expect(loadSecrets(file, {})).toEqual(first);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('what the environment sets, by value or by file, is left to it and not written down', () => {
  const generated = loadSecrets(file, {}).service;
  const { service } = loadSecrets(file, { TOKEN_KEY: 'mine', BLIND_INDEX_KEY_FILE: '/run/secrets/key' });
  expect(Object.keys(service).sort()).toEqual(['GATEWAY_SECRET', 'GRPC_SERVICE_TOKENS', 'ROOT_KEYS']);
  expect(readFileSync(file, 'utf8')).toContain(generated['TOKEN_KEY']);
});
