import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

import { transformFile } from '@swc/core';

import { DIST_DIR, PROJECT_ROOT } from '../project';

/** What goes to `dist` for one source file; null for a file that is gone. */
type Outputs = Map<string, string | Buffer | null>;

const isTypeScript = (file: string): boolean => file.endsWith('.ts');
const isTest = (file: string): boolean => file.endsWith('.test.ts');

const readIfThere = async (file: string): Promise<Buffer | undefined> => {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

const outputsOf = async (file: string): Promise<Outputs> => {
  const target = join(DIST_DIR, relative(PROJECT_ROOT, file));
  const content = await readIfThere(file);
  if (!isTypeScript(file)) return new Map([[target, content ?? null]]);
  const script = target.replace(/\.ts$/, '.js');
  const map = `${script}.map`;
  if (content === undefined) return new Map([script, map].map((path) => [path, null]));
  const options = { sourceMaps: true, sourceFileName: relative(dirname(script), file), cwd: PROJECT_ROOT };
  const compiled = await transformFile(file, options).catch((error: unknown) => {
    // What follows is the compiler's own stack.
    throw new Error((error as Error).message.split('\n\nCaused by')[0]);
  });
  return new Map([
    [script, `${compiled.code}\n//# sourceMappingURL=${basename(map)}`],
    [map, compiled.map ?? ''],
  ]);
};

/**
 * Compiles the files as the build does, and writes nothing unless all of them can be compiled.
 *
 * @param files absolute paths; those that are gone are removed from `dist`
 */
export const compileFiles = async (files: readonly string[]): Promise<void> => {
  const all = await Promise.all(files.filter((file) => !isTest(file)).map(outputsOf));
  for (const [path, content] of all.flatMap((outputs) => [...outputs])) {
    if (content === null) {
      await rm(path, { force: true });
      continue;
    }
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
};
