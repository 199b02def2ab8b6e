import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { PROCESS_SECTIONS, type ProcessName } from '../src/config/processes';
import { variablesOf, variablesThatAre } from '../src/config/sections';

import { PROJECT_ROOT } from './project';
import { STATE_FLAGS } from './stack/temporal';

interface ComposeFile {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly command?: readonly string[];
        readonly ports?: readonly string[];
        readonly environment?: Readonly<Record<string, string>>;
      }
    >
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

test.each(Object.keys(PROCESS_SECTIONS) as ProcessName[])('%s is given what it reads, and nothing besides', (name) => {
  const { command, environment = {} } = services[name] ?? {};
  expect(command).toEqual([`dist/src/bin/${name}.js`]);
  const { HEALTH_URL, ...given } = environment;
  expect(HEALTH_URL).toMatch(/^http:/);
  const read = variablesOf(PROCESS_SECTIONS[name]);
  expect(Object.keys(given).filter((variable) => !Object.hasOwn(read, variable))).toEqual([]);
  // What one container reads and another one is given as well: all have the same database and the same keys.
  const others = Object.values(services).flatMap((service) => Object.keys(service.environment ?? {}));
  const secrets = variablesThatAre('secret', PROCESS_SECTIONS[name]).filter((variable) => others.includes(variable));
  expect(secrets.filter((variable) => !Object.hasOwn(given, variable))).toEqual([]);
});
