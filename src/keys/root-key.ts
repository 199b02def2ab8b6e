import type { KeysConfig } from '../config/keys.config';
import { type RootKey, RootKeyError } from '../contracts/keys';

import type * as kmsRootKey from './kms-root-key';
import { createLocalRootKey } from './local-root-key';

/** The SDK of AWS is 16 MiB of memory and a tenth of a second: it is loaded by whoever has a key in KMS. */
const createLazyKmsRootKey = (options: kmsRootKey.KmsRootKeyOptions): RootKey => {
  let loaded: RootKey | undefined;
  const load = (): RootKey => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- an `import` cannot wait, and `import()` is not for CommonJS
    const kms = require('./kms-root-key') as typeof kmsRootKey;
    return (loaded ??= kms.createKmsRootKey(options));
  };
  const [current] = options.keyArns;
  return {
    wrap: async (dataKey, context) => load().wrap(dataKey, context),
    unwrap: async (wrapped, context) => load().unwrap(wrapped, context),
    isCurrent: (wrapped) => current !== undefined && wrapped.startsWith(`kms:${current}:`),
  };
};

/**
 * The root keys of the configuration: the provider that was chosen wraps, and whichever a data key was wrapped by unwraps it, so
 * that one moves from the one to the other while the service runs.
 */
export const createRootKey = ({ provider, local, kms }: KeysConfig['root']): RootKey => {
  const roots: Readonly<Record<string, RootKey | undefined>> = {
    local: local === undefined ? undefined : createLocalRootKey(local),
    kms: createLazyKmsRootKey(kms),
  };
  const current = roots[provider === 'local' ? 'local' : 'kms'];
  if (current === undefined) throw new Error('The root key that was chosen is not configured');
  return {
    wrap: (dataKey, context) => current.wrap(dataKey, context),
    isCurrent: (wrapped) => current.isCurrent(wrapped),
    async unwrap(wrapped, context) {
      const [kind = ''] = wrapped.split(':', 1);
      if (!Object.hasOwn(roots, kind)) {
        throw new RootKeyError('malformed', `Data key ${context.id} names no root key that we know of`);
      }
      const root = roots[kind];
      if (root !== undefined) return root.unwrap(wrapped, context);
      throw new RootKeyError(
        'unknown_root_key',
        `Data key ${context.id} needs a local root key, and ROOT_KEYS is not set`,
      );
    },
  };
};
