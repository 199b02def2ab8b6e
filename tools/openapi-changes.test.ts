import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { OPENAPI_JSON } from './openapi';
import {
  acknowledgementOf,
  API_CHANGELOG,
  breakingChanges,
  changesBetween,
  OASDIFF,
  RELEASED_JSON,
  untold,
} from './openapi-changes';

/** Where there is no Go, oasdiff could not be built, and its tests are skipped by name. */
const testWithOasdiff = existsSync(OASDIFF) ? test : test.skip;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meqenet-openapi-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** As far as these tests look into a document. */
interface Schema {
  readonly properties: Record<string, { maxLength?: number; type?: string; enum?: string[] }>;
  required: string[];
}
const schemaIn = (body: object | undefined): Schema =>
  (body as { content: { 'application/json': { schema: Schema } } }).content['application/json'].schema;
interface Document {
  readonly components: { readonly schemas: Record<string, Schema> };
  readonly paths: Record<string, Record<string, { requestBody?: object; responses: Record<string, object> }>>;
}
const answerOfMe = ({ paths }: Document): Schema => schemaIn(paths['/v1/users/me']!['get']!.responses['200']);
const bodyOfRegister = ({ paths }: Document): Schema => schemaIn(paths['/v1/auth/register']!['post']!.requestBody);

/** The document of now after a change to it, as a file. */
const changed = (name: string, change: (document: Document) => void): string => {
  const document = JSON.parse(readFileSync(OPENAPI_JSON, 'utf8')) as Document;
  change(document);
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(document));
  return file;
};

describe('since the last release of the API (oasdiff, built with Go)', () => {
  testWithOasdiff('nothing breaks clients but what docs/api/acknowledged.txt names', () => {
    expect(breakingChanges(RELEASED_JSON, OPENAPI_JSON).map(acknowledgementOf)).toEqual([]);
  });
  testWithOasdiff('every change is in docs/api/CHANGELOG.md', () => {
    expect(untold(changesBetween(RELEASED_JSON, OPENAPI_JSON), readFileSync(API_CHANGELOG, 'utf8'))).toEqual([]);
  });
});

describe('what breaks clients is found (oasdiff, built with Go)', () => {
  testWithOasdiff.each([
    [
      'a field of an answer that is gone',
      'response-required-property-removed',
      (document: Document) => {
        const schema = answerOfMe(document);
        delete schema.properties['email'];
        schema.required = schema.required.filter((name) => name !== 'email');
      },
    ],
    [
      'an operation that is gone',
      'api-removed-without-deprecation',
      (document: Document) => {
        delete document.paths['/v1/auth/logout']!['post'];
      },
    ],
    [
      'a field that must be sent from now on',
      'request-property-became-required',
      (document: Document) => {
        bodyOfRegister(document).required.push('phone');
      },
    ],
    [
      'a narrower form of what is sent',
      'request-property-max-length-decreased',
      (document: Document) => {
        bodyOfRegister(document).properties['firstName']!.maxLength = 10;
      },
    ],
  ])('%s', (_, id, change) => {
    const after = changed(id, change);
    const found = breakingChanges(OPENAPI_JSON, after);
    expect(found.map((each) => each.id)).toContain(id);
    const acknowledged = join(folder, `${id}.txt`);
    writeFileSync(acknowledged, found.map((each) => `${acknowledgementOf(each)}\n`).join(''));
    expect(breakingChanges(OPENAPI_JSON, after, acknowledged)).toEqual([]);
  });
  testWithOasdiff('a new code of problems is one line of the change log', () => {
    const after = changed('code', (document) => {
      document.components.schemas['Problem']!.properties['code']!.enum!.push('too_early');
    });
    expect(breakingChanges(OPENAPI_JSON, after)).toEqual([]);
    const changes = changesBetween(OPENAPI_JSON, after);
    expect(untold(changes, '## Unreleased\n')).toEqual(['too_early']);
    expect(untold(changes, '## Unreleased\n- `too_early`, a new code\n')).toEqual([]);
  });
  testWithOasdiff('and what does not is no more than a line of the change log', () => {
    const after = changed('more', (document: Document) => {
      answerOfMe(document).properties['nickname'] = { type: 'string' };
    });
    expect(breakingChanges(OPENAPI_JSON, after)).toEqual([]);
    const changes = changesBetween(OPENAPI_JSON, after);
    expect(untold(changes, '## Unreleased\n\n## 1.0.0\n`GET /v1/users/me`\n')).toEqual(['GET /v1/users/me']);
    expect(untold(changes, '## Unreleased\n- `GET /v1/users/me` tells the nickname\n\n## 1.0.0\n')).toEqual([]);
  });
});
