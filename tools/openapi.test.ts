import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, test } from '@jest/globals';

import { ERRORS } from '../src/contracts/errors';
import { ROUTE_ACCESS } from '../test/support/route-access';
import { documentedRoutes, OPENAPI_JSON, renderOpenApi } from './openapi';

const routes = documentedRoutes();
// eslint-disable-next-line @typescript-eslint/no-explicit-any
let document: Record<string, any>;
let text: string;
beforeAll(async () => {
  text = await renderOpenApi();
  document = JSON.parse(text);
});

interface Media {
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value?: unknown }>>;
}
const examplesOf = ({ example, examples = {} }: Media): unknown[] =>
  example === undefined ? Object.values(examples).map(({ value }) => value) : [example];

// eslint-disable-next-line @typescript-eslint/no-explicit-any
const operationOf = ({ path, method }: { path: string; method: string }): any =>
  document.paths[path.replaceAll(/:(\w+)/g, '{$1}')][method];

describe('the committed OpenAPI document', () => {
  test('is what the routes say', () => {
    expect(readFileSync(OPENAPI_JSON, 'utf8') === text).toBe(true);
  });
  test('has every route of the service', () => {
    const documented = routes.map(
      ({ method, path }) => `${method.toUpperCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
    );
    expect(documented.toSorted()).toEqual(Object.keys(ROUTE_ACCESS).toSorted());
  });
  test('describes every tag, operation and parameter', () => {
    for (const tag of document.tags) expect(tag).toHaveProperty('description');
    for (const route of routes) {
      const operation = operationOf(route);
      expect(operation.description).toMatch(/./);
      for (const parameter of operation.parameters)
        if (parameter.$ref === undefined)
          expect([route.operationId, parameter]).toEqual([
            route.operationId,
            expect.objectContaining({ description: expect.stringMatching(/./) }),
          ]);
    }
  });
});

describe('examples', () => {
  test.each(routes.filter(({ body }) => body !== undefined).map((route) => [route.operationId, route] as const))(
    'the body of %s is one that the service takes',
    (_, route) => {
      const examples = examplesOf(operationOf(route).requestBody.content['application/json'] as Media);
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) expect(route.body!.safeParse(example)).toMatchObject({ success: true });
    },
  );
  test.each(
    routes.flatMap((route) =>
      Object.entries(route.responses)
        .filter(([, { schema }]) => schema !== undefined)
        .map(([status, spec]) => [route.operationId, status, spec, route] as const),
    ),
  )('the answer of %s with %s is one that the service gives', (_, status, spec, route) => {
    const examples = examplesOf(
      operationOf(route).responses[status].content[spec.contentType ?? 'application/json'] as Media,
    );
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(spec.schema!.safeParse(example)).toMatchObject({ success: true });
  });
  test('there is one of every error that an operation can answer', () => {
    for (const route of routes)
      for (const code of route.errors) {
        const answer = operationOf(route).responses[ERRORS[code].status];
        expect(answer.content['application/problem+json'].examples).toHaveProperty(code);
        expect(document.components.examples[code].value).toMatchObject({ code, status: ERRORS[code].status });
      }
  });
});
