import { open, readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { z } from 'zod';

import { restoreKeyStore } from '../src/keys/key-store-backup';

import { runCommand, withKeyStore } from './key-store';

const USAGE = `npm run keys:restore -- <file> [--erased <list>]
  Puts back what the key store lacks from a file of keys:backup, all of it or nothing. What is there stays: the keys that encrypt,
  and whoever was erased. --erased takes a list of keys:backup -- --erased: whoever was erased since the file was made, also where
  the database itself was restored from before that, and would live again. Needs the root key of the file.
  Asks the database of DATABASE_URL, or else the running embedded stack.`;

const idsSchema = z.array(z.uuid('The list of the erased must hold one id a line'));

const readIds = async (file: string | undefined): Promise<string[]> => {
  if (file === undefined) return [];
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.trim());
  const ids = idsSchema.safeParse(lines.filter((line) => line !== ''));
  if (!ids.success) throw new Error(ids.error.issues[0]?.message);
  return ids.data;
};

/** Opened at the first line that is asked for: readline loses what it reads before. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const handle = await open(file);
  yield* handle.readLines();
}

runCommand(async () => {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean' }, erased: { type: 'string' } },
    allowPositionals: true,
  });
  if (values.help) return USAGE;
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new Error(USAGE);
  const erasedSince = await readIds(values.erased);
  return withKeyStore(({ store, protection: { rootKey }, protectionWithin }) =>
    store.restore(async (acts, within) => {
      const { header, added, erased } = await restoreKeyStore(acts, rootKey, linesOf(file), erasedSince);
      // With the keys that are there only once this transaction is.
      const { dataKeys, audit } = protectionWithin(within);
      await dataKeys.check();
      const details = { ...added, erased, backupId: header.id, madeAt: header.createdAt };
      await audit.append(within, { action: 'key_store.restored', actor: { kind: 'operator' }, details });
      return [
        `${String(added.dataKeys)} data keys and the keys of ${String(added.personKeys)} persons are back`,
        `(backup ${header.id} of ${header.createdAt}); ${String(erased)} persons were erased again`,
      ].join(' ');
    }),
  );
});
