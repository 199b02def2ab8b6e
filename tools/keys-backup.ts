import { open, rename, rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { backUpKeyStore } from '../src/keys/key-store-backup';

import { runCommand, withKeyStore } from './key-store';

const USAGE = `npm run keys:backup -- <file>
npm run keys:backup -- --erased <file>
  Writes the key store to a new file, sealed under the root key: of no use without it, and as good as the keys with it.
  With --erased: only the ids of the persons who were erased, one a line, for keys:restore. Often, and away from the database.
  Asks the database of DATABASE_URL, or else the running embedded stack.`;

/** Writes a file that its owner alone may read; it is there as a whole or not at all. @throws where there is one already */
const writeNew = async (file: string, lines: AsyncIterable<string> | Iterable<string>): Promise<void> => {
  const unfinished = `${file}.unfinished`;
  // Takes the name, so that nothing is overwritten.
  const place = await open(file, 'wx', 0o600);
  await place.close();
  try {
    const handle = await open(unfinished, 'wx', 0o600);
    try {
      for await (const line of lines) await handle.write(line);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    await rm(file, { force: true });
    throw error;
  }
};

runCommand(async () => {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean' }, erased: { type: 'string' } },
    allowPositionals: true,
  });
  if (values.help) return USAGE;
  const { erased } = values;
  const [file] = positionals;
  if (positionals.length + (erased === undefined ? 0 : 1) !== 1) throw new Error(USAGE);
  return withKeyStore(async ({ store, database, protection: { rootKey, audit } }) => {
    if (erased !== undefined) {
      const ids = await store.erased();
      await writeNew(
        erased,
        ids.map((id) => `${id}\n`),
      );
      return `${String(ids.length)} erased persons are in ${erased}`;
    }
    const target = file ?? '';
    const counts = await backUpKeyStore(store, rootKey, (lines) => writeNew(target, lines));
    await audit.append(database.sql, {
      action: 'key_store.backed_up',
      actor: { kind: 'operator' },
      details: { ...counts },
    });
    return `${String(counts.dataKeys)} data keys and the keys of ${String(counts.personKeys)} persons are in ${target}`;
  });
});
