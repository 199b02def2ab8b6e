import type { ZodOpenApiOperationObject } from 'zod-openapi';

import { exampleOf, type JsonSchema, mediaExamples } from './openapi-examples';
import { errorCodes, operation, type OperationContext, problemExamples, templated } from './openapi-operation';
import { BEARER, HEADERS, INFO, INTRODUCTION, PARAMETERS, TAGS } from './openapi-texts';
import type { Route } from './route';

export interface DocumentInfo extends OperationContext {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
  /** Where the service is reached; the document's own origin stands first in any case. */
  readonly publicUrl?: string;
}

interface MediaType {
  readonly schema?: JsonSchema;
  readonly example?: unknown;
  readonly examples?: unknown;
}
interface Operation {
  readonly parameters?: readonly { example?: unknown; readonly schema?: JsonSchema }[];
  readonly requestBody?: { readonly content: Record<string, MediaType> };
  readonly responses?: Record<string, { readonly content?: Record<string, MediaType> }>;
}

/** Gives every parameter and body that has none an example, where its schemas say enough: `tools/openapi.test.ts` sees to it that they do. */
const addExamples = (paths: Record<string, Record<string, Operation>>): void => {
  for (const { parameters = [], requestBody, responses = {} } of Object.values(paths).flatMap((operations) =>
    Object.values(operations),
  )) {
    for (const parameter of parameters) parameter.example ??= parameter.schema && exampleOf(parameter.schema);
    for (const content of [requestBody?.content, ...Object.values(responses).map((answer) => answer.content)]) {
      for (const media of Object.values(content ?? {})) {
        Object.assign(media, media.examples === undefined && media.schema && mediaExamples(media.schema));
      }
    }
  }
};

/** The OpenAPI 3.1 document of the routes: made from the very declarations that validate and filter. */
export const createOpenApiDocument = async (routes: readonly Route[], info: DocumentInfo) => {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) (paths[templated(route.path)] ??= {})[route.method] = operation(route, info);
  const codes = [...new Set(routes.flatMap((route) => errorCodes(route, info.interceptorErrors)))];
  const names = [...new Set(routes.flatMap((route) => route.tags))];
  // Loaded when somebody asks for the document: it is a tenth of the start of a process.
  const { createDocument } = await import('zod-openapi');
  const document = createDocument({
    openapi: '3.1.1',
    info: {
      title: info.title,
      version: info.version,
      description: [info.description, INTRODUCTION].filter((text) => text !== undefined).join('\n\n'),
      ...INFO,
    },
    servers: [
      { url: '/', description: 'Where this document comes from' },
      ...(info.publicUrl === undefined ? [] : [{ url: info.publicUrl, description: 'The public address' }]),
    ],
    tags: names.map((name) => ({ name, ...(TAGS[name] !== undefined && { description: TAGS[name] }) })),
    paths,
    components: {
      examples: problemExamples(codes),
      headers: HEADERS,
      parameters: PARAMETERS,
      securitySchemes: { bearer: BEARER },
    },
  });
  addExamples(document.paths as Record<string, Record<string, Operation>>);
  return document;
};
