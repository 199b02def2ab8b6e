import type { RootKey } from '../contracts/keys';
import type { StoredDataKey } from '../repositories/key-store-repository';

export interface RewrapStore {
  /** Every data key, in whatever state. */
  dataKeys(): Promise<StoredDataKey[]>;
  /** Puts another wrapping in the place of this one, and records it. @returns false where another one stands there by now */
  rewrap(key: StoredDataKey, wrapped: string, audit: { readonly from: string; readonly to: string }): Promise<boolean>;
}

/** The root key that made a wrapping: all of it but the sealed key. */
export const rootOf = (wrapped: string): string => wrapped.slice(0, wrapped.lastIndexOf(':'));

/**
 * Wraps every data key anew that another root key than the current one has wrapped. The data keys stay what they are, so
 * the service notices nothing. Whatever interrupts it, the next run goes on; a second run at the same time does no harm.
 *
 * @returns how many were wrapped anew
 * @throws {RootKeyError} when one cannot be unwrapped; all the others are done by then
 */
export const rewrapDataKeys = async (store: RewrapStore, rootKey: RootKey): Promise<number> => {
  const rewrap = async (key: StoredDataKey): Promise<boolean> => {
    const dataKey = await rootKey.unwrap(key.wrapped, key);
    const wrapped = await rootKey.wrap(dataKey, key);
    // What cannot be opened again must not take the place of what can.
    if (!dataKey.equals(await rootKey.unwrap(wrapped, key))) throw new Error(`${key.id} was not wrapped as it is`);
    return store.rewrap(key, wrapped, { from: rootOf(key.wrapped), to: rootOf(wrapped) });
  };
  const old = (await store.dataKeys()).filter(({ wrapped }) => !rootKey.isCurrent(wrapped));
  let done = 0;
  let failure: { readonly error: unknown } | undefined;
  for (const key of old) {
    try {
      if (await rewrap(key)) done += 1;
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
  return done;
};
