/**
 * What is generated from the OpenAPI document for its users:
 *
 *   npm run openapi:clients [-- --check]
 *
 * The types of the HTTP client (`clients/typescript-http`) and the Postman collection (`clients/postman`); with `--check` only tells
 * whether they are what would be written.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { renderClientTypes } from './openapi-types';
import { OPENAPI_JSON } from './openapi';
import { PROJECT_ROOT } from './project';
import { renderPostmanCollection } from './postman';

const CLIENTS = join(PROJECT_ROOT, 'clients');
export const CLIENT_TYPES = join(CLIENTS, 'typescript-http', 'src', 'schema.ts');
export const POSTMAN_COLLECTION = join(CLIENTS, 'postman', 'meqenet-auth.postman_collection.json');

const RENDERERS = { [CLIENT_TYPES]: renderClientTypes, [POSTMAN_COLLECTION]: renderPostmanCollection };

/** Files that are not what the document says. */
export const staleFiles = async (document: string): Promise<string[]> => {
  const stale: string[] = [];
  for (const [file, render] of Object.entries(RENDERERS))
    if (readFileSync(file, 'utf8') !== (await render(document))) stale.push(relative(PROJECT_ROOT, file));
  return stale;
};

const main = async (args: readonly string[]): Promise<void> => {
  const document = readFileSync(OPENAPI_JSON, 'utf8');
  if (args.includes('--check')) {
    const stale = await staleFiles(document);
    for (const file of stale)
      console.error(`${file} does not agree with docs/api/openapi.json: run \`npm run openapi:clients\``);
    if (stale.length > 0) process.exitCode = 1;
    return;
  }
  for (const [file, render] of Object.entries(RENDERERS)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, await render(document));
    console.log(`Wrote ${relative(PROJECT_ROOT, file)}`);
  }
};

if (require.main === module)
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
