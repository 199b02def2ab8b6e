import { execFileSync } from 'node:child_process';

const PROGRAM = `
  import { Validator } from '@seriousme/openapi-schema-validator';
  let text = ''; for await (const chunk of process.stdin) text += chunk;
  const validator = new Validator();
  const { valid, errors } = await validator.validate(JSON.parse(text));
  console.log(JSON.stringify({ valid, errors, version: validator.version }));`;

/** Checks a document by the official schema. The validator is an ES module with JSON imports, which Jest cannot load. */
export const validateOpenApi = (document: unknown): { readonly valid: boolean; readonly version?: string } => {
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    input: JSON.stringify(document),
  });
  return JSON.parse(output.toString()) as { valid: boolean };
};
