import { hash } from '@node-rs/argon2';

import type { Config } from '../../src/config/sections';

import { serveCalls } from './helper';

interface Request {
  readonly parameters: Pick<Config['security']['passwordHash'], 'memoryKib' | 'iterations' | 'parallelism'>;
  readonly concurrency: number;
  readonly seconds: number;
}

/** `Algorithm.Argon2id`: a `const enum`, which isolated modules cannot read. */
const ARGON2ID = 2;

const handlers = {
  /** Hashes a second, as many at once as told, with nothing else to do. */
  measure: async ({ parameters, concurrency, seconds }: Request): Promise<number> => {
    const options = {
      algorithm: ARGON2ID,
      memoryCost: parameters.memoryKib,
      timeCost: parameters.iterations,
      parallelism: parameters.parallelism,
    };
    const begin = performance.now();
    let hashes = 0;
    const worker = async (): Promise<void> => {
      while (performance.now() - begin < seconds * 1_000) {
        await hash('correct horse battery staple', options);
        hashes += 1;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    return hashes / ((performance.now() - begin) / 1_000);
  },
};
export type Argon2Helper = typeof handlers;

serveCalls(handlers);
