import { parseArgs } from 'node:util';

import { rewrapDataKeys } from '../src/keys/rewrap';

import { runCommand, withKeyStore } from './key-store';

const USAGE = `npm run keys:rewrap
  Wraps every data key with the root key that is current, where another one did: after a change of ROOT_KEYS, ROOT_KMS_KEY_ID
  or ROOT_KEY_PROVIDER that every process knows. The service goes on. May be repeated; when it has nothing left to do, the
  old root key may go. Asks the database of DATABASE_URL, or else the running embedded stack.`;

runCommand(async () => {
  const { values } = parseArgs({ options: { help: { type: 'boolean' } } });
  if (values.help) return USAGE;
  return withKeyStore(async ({ store, protection: { rootKey, audit } }) => {
    const done = await rewrapDataKeys(
      { dataKeys: store.dataKeys, rewrap: (key, wrapped, details) => store.rewrap(key, wrapped, audit, details) },
      rootKey,
    );
    // A process with the old configuration may have made one meanwhile.
    const left = (await store.dataKeys()).filter(({ wrapped }) => !rootKey.isCurrent(wrapped)).length;
    if (left > 0) throw new Error(`${String(done)} data keys wrapped anew, ${String(left)} left: run it again`);
    return `${String(done)} data keys wrapped anew; all are under the current root key`;
  });
});
