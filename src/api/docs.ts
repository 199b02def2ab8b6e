import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { createOpenApiDocument, type DocumentInfo } from './openapi';
import { filePage, type Page } from './page';
import type { Route } from './route';

const BASE = '/api/docs';
const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';

/** The files of swagger-ui-dist that the page needs, with their types. Nothing else of the package is served. */
const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': SCRIPT,
  'favicon-32x32.png': 'image/png',
};

const INDEX = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Meqenet Auth API</title>
    <link rel="stylesheet" href="${BASE}/swagger-ui.css">
    <link rel="icon" type="image/png" href="${BASE}/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="${BASE}/swagger-ui-bundle.js"></script>
    <script src="${BASE}/initializer.js"></script>
  </body>
</html>
`;

const INITIALIZER = `SwaggerUIBundle({
  url: '${BASE}/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
});
`;

/** Not by importing the package: its main file loads the whole of Swagger UI. */
const packageFolder = (): string => dirname(require.resolve('swagger-ui-dist/package.json'));

/** Swagger UI for the document at `/api/docs/openapi.json`, all from this origin. */
export const swaggerPages = (): readonly Page[] => [
  filePage(BASE, () => ({ contentType: HTML, content: INDEX })),
  filePage(`${BASE}/initializer.js`, () => ({ contentType: SCRIPT, content: INITIALIZER })),
  ...Object.entries(FILES).map(([name, contentType]) =>
    filePage(`${BASE}/${name}`, async () => {
      // The name is one of FILES, never a part of the request.
      // eslint-disable-next-line security/detect-non-literal-fs-filename
      const content = await readFile(join(packageFolder(), name));
      return { contentType, content };
    }),
  ),
];

/** The OpenAPI document and Swagger UI. */
export const createDocs = (routes: readonly Route[], info: DocumentInfo): readonly Page[] => [
  filePage(`${BASE}/openapi.json`, async () => ({
    contentType: 'application/json',
    content: JSON.stringify(await createOpenApiDocument(routes, info)),
  })),
  ...swaggerPages(),
];
