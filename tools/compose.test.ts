import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { PROJECT_ROOT } from './project';
import { STATE_FLAGS } from './stack/temporal';

interface ComposeFile {
  readonly services: Readonly<
    Record<string, { readonly command?: readonly string[]; readonly ports?: readonly string[] }>
  >;
}

const { services } = parse(readFileSync(join(PROJECT_ROOT, 'docker-compose.yml'), 'utf8'), {
  merge: true,
}) as ComposeFile;

test('Temporal keeps and finds workflows in a container as it does in the embedded stack', () => {
  expect(services['temporal']?.command).toEqual(expect.arrayContaining([...STATE_FLAGS]));
});

test('every port is published on loopback only', () => {
  const published = Object.values(services).flatMap(({ ports = [] }) => ports);
  expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  expect(published).not.toEqual([]);
});
