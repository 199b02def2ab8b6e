import { expect, test } from '@jest/globals';

import { mergeDocuments, type OpenApi } from './merge';

const documentOf = (path: string, item: string): OpenApi => ({
  openapi: '3.1.1',
  info: { title: path, version: '1' },
  servers: [{ url: 'http://inside' }],
  tags: [{ name: 'all' }, { name: path }],
  paths: {
    [path]: {
      get: {
        operationId: path,
        responses: {
          '200': {
            description: 'ok',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Item' } } },
          },
          '503': { description: 'its own' },
        },
      },
    },
  },
  components: { schemas: { Item: { type: item }, Same: { type: 'null' } } },
});

test('documents become one, and components of one name stay apart', () => {
  const merged = mergeDocuments([
    { name: 'a', document: documentOf('/a', 'string') },
    { name: 'b', document: documentOf('/b', 'number') },
  ]);
  expect(merged).toMatchObject({ info: { title: '/a' }, servers: [{ url: '/' }] });
  expect(merged?.tags?.map(({ name }) => name)).toEqual(['all', '/a', '/b']);
  expect(merged?.components).toMatchObject({
    schemas: { Item: { type: 'string' }, Same: { type: 'null' }, 'b-Item': { type: 'number' } },
  });
  const refOf = (path: string) => JSON.stringify(merged?.paths?.[path]?.get?.responses?.['200']);
  expect(refOf('/a')).toContain('#/components/schemas/Item');
  expect(refOf('/b')).toContain('#/components/schemas/b-Item');
  const answers = merged?.paths?.['/b']?.get?.responses ?? {};
  expect(Object.keys(answers)).toEqual(['200', '429', '502', '503', '504']);
  expect(answers['503']?.description).toBe('its own');
  expect(mergeDocuments([])).toBeUndefined();
});
