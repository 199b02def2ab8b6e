/** Where an encrypted value stands: it can be read there and nowhere else. */
export interface FieldLocation {
  readonly table: string;
  readonly column: string;
  readonly rowId: string;
  /** Whom it is about: erased with them. What is about nobody, such as a signing key, has none. */
  readonly personId?: string | undefined;
}

/** Encrypts single values of the database. Both reject where keys cannot be had (`DataKeyError`, `DatabaseUnavailableError`). */
export interface FieldCipher {
  /** @throws {FieldCipherError} `erased` */
  encrypt(plaintext: string, location: FieldLocation): Promise<string>;
  /** @throws {FieldCipherError} when the value was altered, moved, truncated, its key is unknown, or its person erased */
  decrypt(ciphertext: string, location: FieldLocation): Promise<string>;
}

export type FieldCipherReason = 'malformed' | 'unknown_key' | 'not_authentic' | 'unknown_person' | 'erased';

/** A value that cannot be read; the message says why and never shows the value. */
export class FieldCipherError extends Error {
  constructor(
    readonly reason: FieldCipherReason,
    readonly location: FieldLocation,
  ) {
    super(`${location.table}.${location.column} cannot be decrypted: ${reason}`);
    this.name = 'FieldCipherError';
  }
}

/** Identifiers that are looked up by equality. */
export type IndexedField = 'email' | 'phone' | 'faydaId' | 'device';

/** Turns a normalised identifier into 32 bytes that are equal when it is, and tell nothing else without the key. */
export interface BlindIndex {
  of(field: IndexedField, normalisedValue: string): Uint8Array<ArrayBuffer>;
}
