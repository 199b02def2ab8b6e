import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { STATE_DIR } from './paths.mjs';

const STAMPS = join(STATE_DIR, 'stamps');

/** Every file below a folder, or the file itself, in a fixed order. */
const filesOf = (path) => {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesOf(join(path, entry.name)));
};

/** One hash over the contents of files and folders, and over values that matter as well. */
export const hashOf = (paths, ...values) => {
  const hash = createHash('sha256').update(JSON.stringify(values));
  for (const file of paths.flatMap(filesOf)) hash.update(`\0${file}\0`).update(readFileSync(file));
  return hash.digest('hex');
};

export const readStamp = (name) => {
  try {
    return readFileSync(join(STAMPS, name), 'utf8');
  } catch {
    return undefined;
  }
};

export const writeStamp = (name, hash) => {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, name), hash);
};
