import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = resolve(__dirname, '../..');

interface FileResult {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null }[];
}
type Case = readonly [file: string, code: string, rule: string | undefined];

const WORKFLOW_IMPORTS = '@typescript-eslint/no-restricted-imports';

/** Code, and the one rule of the house that must report it (`undefined`: allowed). */
const CASES: readonly Case[] = [
  ['src/api/env.ts', 'export const a = process.env;', 'no-restricted-properties'],
  ['src/api/env-2.ts', 'export const { env: a } = process;', 'no-restricted-properties'],
  ['src/bin/env.ts', 'export const a = process.env;', 'no-restricted-properties'],
  ['src/api/env.test.ts', 'export const a = process.env;', 'no-restricted-properties'],
  ['src/api/env-3.ts', "import * as p from 'node:process';\nexport const a = p;", 'no-restricted-imports'],
  ['src/config/env.ts', 'export const a = process.env;', undefined],
  ['tools/env.ts', 'export const a = process.env;', undefined],
  ['test/e2e/env.ts', 'export const a = process.env;', undefined],
  ['src/api/console.ts', "console.log('x');\nexport {};", 'no-console'],
  ['tools/console.ts', "console.log('x');\nexport {};", undefined],
  ['src/api/floating.ts', 'Promise.resolve(1);\nexport {};', '@typescript-eslint/no-floating-promises'],
  ['src/api/floating-2.ts', 'void Promise.resolve(1);\nexport {};', '@typescript-eslint/no-floating-promises'],
  ['tools/floating.ts', 'Promise.resolve(1);\nexport {};', '@typescript-eslint/no-floating-promises'],
  ['test/e2e/floating.ts', 'Promise.resolve(1);\nexport {};', '@typescript-eslint/no-floating-promises'],
  [
    'src/api/type.ts',
    "import { Thing } from './thing';\nexport type A = Thing;",
    '@typescript-eslint/consistent-type-imports',
  ],
  ['src/api/state.ts', 'export let a = 1;', 'no-restricted-syntax'],
  ['src/api/singleton.ts', 'export const a = new AbortController();', 'no-restricted-syntax'],
  ['src/api/set.ts', 'export const a = new Set([1]);', undefined],
  ['src/api/long.ts', `export const f = (): void => {\n${'  f();\n'.repeat(60)}};`, 'meqenet/own-lines-per-function'],
  [
    'src/api/factory.ts',
    `export const f = () => ({\n${[1, 2, 3].map((n) => `  m${n}: (): void => {\n${'    f();\n'.repeat(30)}  },\n`).join('')}});`,
    undefined,
  ],
  ['src/api/file.ts', `export const a = [\n${'  1,\n'.repeat(310)}];`, 'max-lines'],
  [
    'src/api/only.test.ts',
    "import { test } from '@jest/globals';\ntest.only('x', () => undefined);",
    'no-restricted-properties',
  ],
  ['tools/javascript.mjs', 'export const a = 1 == 2;', 'eqeqeq'],

  ['src/workflows/date.ts', 'export const a = (): number => Date.now();', 'no-restricted-properties'],
  ['src/workflows/date-2.ts', 'export const a = (): Date => new Date();', 'no-restricted-syntax'],
  ['src/workflows/date-3.ts', 'export const a = (): Date => new Date(0);', undefined],
  ['src/workflows/workflow-clock.ts', 'export const a = (): number => Date.now();', undefined],
  ['src/workflows/random.ts', 'export const a = (): number => Math.random();', 'no-restricted-properties'],
  ['src/workflows/crypto.ts', 'export const a = (): string => crypto.randomUUID();', 'no-restricted-globals'],
  ['src/workflows/timer.ts', 'export const a = (): unknown => setTimeout(a, 1);', 'no-restricted-globals'],
  ['src/workflows/process.ts', 'export const a = (): number => process.pid;', 'no-restricted-globals'],
  ['src/workflows/buffer.ts', "export const a = (): unknown => Buffer.from('');", 'no-restricted-globals'],
  ['src/workflows/global.ts', 'export const a = (): unknown => globalThis;', 'no-restricted-globals'],
  ['src/workflows/import.ts', "export { randomUUID } from 'node:crypto';", WORKFLOW_IMPORTS],
  ['src/workflows/import-2.ts', "export { z } from 'zod';", WORKFLOW_IMPORTS],
  [
    'src/workflows/import-3.ts',
    "import { thing } from '../activities/thing';\nexport const a = thing;",
    WORKFLOW_IMPORTS,
  ],
  ['src/workflows/import-4.ts', "import type { Thing } from '../activities/thing';\nexport type A = Thing;", undefined],
  [
    'src/workflows/import-5.ts',
    "import type { Thing } from '../repositories/thing';\nexport type A = Thing;",
    WORKFLOW_IMPORTS,
  ],
  ['src/workflows/import-6.ts', "export { sleep } from '@temporalio/workflow';", undefined],
  ['src/workflows/import-7.ts', "export const a = () => import('./date');", 'no-restricted-syntax'],
];

describe('lint rules', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meqenet-lint-rules-'));
  const reported = new Map<string, string[]>();

  /** A project of its own, with the real configuration and links to the real packages. */
  beforeAll(() => {
    for (const path of [
      'eslint.config.mjs',
      'package.json',
      'tsconfig.json',
      'tools/lint/own-lines-per-function.mjs',
    ]) {
      cpSync(join(ROOT, path), join(folder, path));
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const write = (file: string, code: string): void => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), `${code}\n`);
    };
    for (const part of ['api', 'activities', 'repositories']) {
      write(`src/${part}/thing.ts`, 'export const thing = 1;\nexport type Thing = number;');
    }
    for (const [file, code] of CASES) write(file, code);

    const eslint = join(ROOT, 'node_modules/eslint/bin/eslint.js');
    const { stdout, stderr } = spawnSync(process.execPath, [eslint, '.', '--format', 'json'], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (stdout === '') throw new Error(stderr);
    for (const { filePath, messages } of JSON.parse(stdout) as readonly FileResult[]) {
      const file = filePath.slice(filePath.indexOf(folder) + folder.length + 1);
      reported.set(
        file,
        messages.map(({ ruleId }) => ruleId ?? 'cannot be parsed'),
      );
    }
  }, 60_000);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(CASES)('%s', (file, _code, rule) => {
    const rules = reported.get(file);
    if (rule === undefined) expect(rules).toEqual([]);
    else expect(rules).toContain(rule);
  });
});
