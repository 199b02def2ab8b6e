/**
 * The OpenAPI document, without a running service:
 *
 *   npm run openapi [-- --check | <file>]
 *
 * Writes `docs/api/openapi.json`, or the file that is named; with `--check` only tells whether it is what would be written.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { createOpenApiDocument } from '../src/api/openapi';
import type { Route } from '../src/api/route';
import { apiRoutes } from '../src/api/routes';
import { createHealthRoutes } from '../src/api/routes/health';
import { appEnv } from '../src/config/app.config';
import { limitsEnv, toLimitsConfig } from '../src/config/limits.config';
import { API_VERSION } from '../src/contracts/api-version';

export const API_DOCS = join(resolve(__dirname, '..'), 'docs', 'api');
export const OPENAPI_JSON = join(API_DOCS, 'openapi.json');

/** Declaring a route asks nothing of what its handler will use. */
const unused = (): never =>
  new Proxy(
    {},
    {
      get: (_, name) => (name === 'jwksMaxAgeSeconds' ? 0 : unused()),
    },
  ) as never;

/** Every route that the document tells of. Their handlers cannot be called. */
export const documentedRoutes = (): Route[] => [...apiRoutes(unused()), ...createHealthRoutes(unused())];

/** The document as the service with default settings serves it, but for the addresses. */
export const renderOpenApi = async (): Promise<string> => {
  const document = await createOpenApiDocument(documentedRoutes(), {
    title: 'Meqenet Auth',
    version: API_VERSION,
    maxBodyBytes: appEnv.shape.MAX_BODY_BYTES.parse(undefined),
    limits: toLimitsConfig(limitsEnv.parse({})).classes,
  });
  return `${JSON.stringify(document, null, 2)}\n`;
};

const main = async ([argument]: readonly string[]): Promise<void> => {
  const text = await renderOpenApi();
  if (argument === '--check') {
    if (readFileSync(OPENAPI_JSON, 'utf8') === text) return;
    console.error('docs/api/openapi.json does not agree with src: run `npm run openapi`');
    process.exitCode = 1;
    return;
  }
  const file = argument ?? OPENAPI_JSON;
  writeFileSync(file, text);
  console.log(`Wrote ${file}`);
};

if (require.main === module)
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
