import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { checkSync } from 'recheck';
import ts from 'typescript';

import { PROJECT_ROOT } from '../project';

const SRC = join(PROJECT_ROOT, 'src');

/**
 * Those that may take steps quadratic in the length of their input, each with the reason why nobody can make use of it. Recheck
 * counts the steps of a backtracking matcher, so that no clock is needed.
 */
const QUADRATIC: Readonly<Record<string, string>> = {
  '/\\/+$/': 'config: written by the operator',
  '/[\\r\\n]+$/': 'config: written by the operator',
  '/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----/g': 'config: written by the operator',
  '/=+$/': 'the end of a hash that argon2 has made',
  '/\\bVersion\\/.*Safari\\//': 'a user agent, of which the first 512 characters are looked at',
  '/[^\\s"\'<>()]+@[^\\s"\'<>()]+/g': 'messages of errors, cut to 1,000 characters',
  '/=\\([^)]*\\)/g': 'messages of errors, cut to 1,000 characters',
  '/[^\\s<>"\'@]*@[^\\s<>"\'@]+/g': 'the reason of a failed job, cut to 500 characters',
};

const isSource = (file: string): boolean =>
  file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('generated');

const literalsIn = (text: string): string[] => {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', text, ts.ScriptTarget.ES2023, true));
  return found;
};

/** Of one expression, milliseconds: each takes a few, and a busy machine more. */
const CHECK_TIMEOUT_MS = 30_000;

const isLinear = (literal: string): boolean => {
  const [, source = '', flags = ''] = /^\/(.*)\/([a-z]*)$/.exec(literal) ?? [];
  const found = checkSync(source, flags, { timeout: CHECK_TIMEOUT_MS });
  return found.status === 'safe' && (found.complexity.type === 'linear' || found.complexity.type === 'safe');
};

test('regular expressions take a number of steps that is linear in their input', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(isSource);
  const literals = new Set(files.flatMap((file) => literalsIn(readFileSync(join(SRC, file), 'utf8'))));
  expect(literals.size).toBeGreaterThan(80);
  expect([...literals].filter((literal) => !(literal in QUADRATIC) && !isLinear(literal))).toEqual([]);
  expect(Object.keys(QUADRATIC).filter((literal) => !literals.has(literal))).toEqual([]);
});

test('one that is not is found', () => {
  expect(isLinear('/^(a+)+$/')).toBe(false);
  expect(isLinear('/^[a-z]*b[a-z]*$/')).toBe(false);
});
