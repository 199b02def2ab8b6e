import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(fileURLToPath(import.meta.url), '..', '..', '..');
/** Everything that set-up and the embedded stack keep on this machine. */
export const STATE_DIR = resolve(ROOT, '.meqenet');

export const inProject = (...parts) => resolve(ROOT, ...parts);
