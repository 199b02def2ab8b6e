import { type KeyContext, type RootKey, RootKeyError } from '../contracts/keys';
import type { KeyRing } from '../config/fields';
import { open, seal } from '../crypto/aead';

const FORMAT = /^local:([a-z0-9-]{1,32}):([A-Za-z0-9_-]+)$/;

const associatedData = (rootId: string, { id, purpose }: KeyContext): string =>
  JSON.stringify(['meqenet-auth/data-key', rootId, purpose, id]);

/**
 * Root keys that the configuration holds (`ROOT_KEYS`): the first wraps, all of them unwrap, so that the root can be
 * changed without an interruption. AES-256-GCM; the data key's id and purpose are the associated data.
 */
export const createLocalRootKey = ({ activeKeyId, keys }: KeyRing): RootKey => {
  const active = keys.get(activeKeyId);
  if (active === undefined) throw new Error('The key ring has no active key');

  const unwrap = (wrapped: string, context: KeyContext): Buffer => {
    const [, rootId, sealed] = FORMAT.exec(wrapped) ?? [];
    if (rootId === undefined || sealed === undefined) {
      throw new RootKeyError('malformed', `Data key ${context.id} was not wrapped by a local root key`);
    }
    const root = keys.get(rootId);
    if (root === undefined) {
      throw new RootKeyError(
        'unknown_root_key',
        `Data key ${context.id} needs root key ${rootId}, which ROOT_KEYS lacks`,
      );
    }
    try {
      return open(root, Buffer.from(sealed, 'base64url'), associatedData(rootId, context));
    } catch (error) {
      const message = `Data key ${context.id} does not open with root key ${rootId}: another key has its name, or it was altered`;
      throw new RootKeyError('not_authentic', message, { cause: error });
    }
  };

  return {
    wrap: (dataKey, context) => {
      const sealed = seal(active, dataKey, associatedData(activeKeyId, context));
      return Promise.resolve(`local:${activeKeyId}:${sealed.toString('base64url')}`);
    },
    // Async, so that what cannot be unwrapped rejects instead of throwing.
    unwrap: async (wrapped, context) => Promise.resolve(unwrap(wrapped, context)),
    isCurrent: (wrapped) => wrapped.startsWith(`local:${activeKeyId}:`),
  };
};
