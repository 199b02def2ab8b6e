/** What a data key encrypts; no key serves two purposes. */
export const DATA_KEY_PURPOSES = [
  /** Personal data and the secrets of second factors, in the database. */
  'fields',
  /** All that Temporal stores. */
  'codec',
  /** The private keys that sign access tokens. */
  'signing-keys',
  /** Remembered answers to requests with an `Idempotency-Key`. */
  'idempotency',
  /** Origins of audit events, and their seals. Events never change, so keys of this purpose are never retired. */
  'audit',
] as const;
export type DataKeyPurpose = (typeof DATA_KEY_PURPOSES)[number];

/** A 256-bit key that encrypts data, in the clear: it is never stored so. */
export interface DataKey {
  /** `a-z`, `0-9` and `-`, at most 32; it stands in every value that the key made. */
  readonly id: string;
  readonly key: Buffer;
}

/** The data keys of the service, as one process knows them. */
export interface DataKeys {
  /** The key that encrypts now. @throws {DataKeyError} */
  active(purpose: DataKeyPurpose): Promise<DataKey>;
  /** A key that still decrypts; undefined when there is none. @throws {DataKeyError} */
  find(purpose: DataKeyPurpose, id: string): Promise<Buffer | undefined>;
}

/** The key store cannot be used: it was lost, or belongs to another root key. Nothing is encrypted or read then. */
export class DataKeyError extends Error {
  constructor(
    readonly reason: 'key_store_missing' | 'no_active_key',
    message: string,
  ) {
    super(message);
    this.name = 'DataKeyError';
  }
}

/** What a wrapped data key is bound to: it unwraps for this id and purpose alone. */
export interface KeyContext {
  readonly id: string;
  readonly purpose: string;
}

/** Wraps data keys (NIST SP 800-57: a key-wrapping key). It encrypts nothing else. */
export interface RootKey {
  /** @returns text that names the root key that made it: `local:<id>:<base64url>`, `kms:<key arn>:<base64>` */
  wrap(dataKey: Uint8Array, context: KeyContext): Promise<string>;
  /** @throws {RootKeyError} */
  unwrap(wrapped: string, context: KeyContext): Promise<Buffer>;
  /** Whether the root key that is now used for wrapping made this. */
  isCurrent(wrapped: string): boolean;
}

export class RootKeyError extends Error {
  constructor(
    readonly reason: 'unknown_root_key' | 'not_authentic' | 'malformed' | 'unavailable',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'RootKeyError';
  }
}

/**
 * The secret of one person: every value about them is encrypted under a data key that it completes. Once it is destroyed
 * nobody can read them, in no backup and no history, whoever holds the data keys (NIST SP 800-88: cryptographic erase).
 */
export interface PersonKeys {
  /** Made where the person has none. @throws {PersonKeyError} `erased` */
  ensure(personId: string): Promise<Buffer>;
  /** @throws {PersonKeyError} */
  find(personId: string): Promise<Buffer>;
  /**
   * Makes the secret of somebody new. Where the database is away it is known to this process alone, and given back: whoever
   * asked passes it on to be adopted.
   */
  begin(personId: string): Promise<Buffer | undefined>;
  /** Stores what `begin` gave back; does nothing for somebody who has one, or was erased. */
  adopt(personId: string, secret: Buffer): Promise<void>;
}

export class PersonKeyError extends Error {
  constructor(readonly reason: 'erased' | 'unknown_person') {
    super(reason === 'erased' ? 'The person was erased' : 'The person has no key');
    this.name = 'PersonKeyError';
  }
}
