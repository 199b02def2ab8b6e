/** Where an encrypted value stands: it can be read there and nowhere else. */
export interface FieldLocation {
  readonly table: string;
  readonly column: string;
  readonly rowId: string;
}

/** Encrypts single values of the database. */
export interface FieldCipher {
  encrypt(plaintext: string, location: FieldLocation): string;
  /** @throws {FieldCipherError} when the value was altered, moved, truncated, or its key is unknown */
  decrypt(ciphertext: string, location: FieldLocation): string;
}

/** Identifiers that are looked up by equality. */
export type IndexedField = 'email' | 'phone' | 'faydaId' | 'device';

/** Turns a normalised identifier into 32 bytes that are equal when it is, and tell nothing else without the key. */
export interface BlindIndex {
  of(field: IndexedField, normalisedValue: string): Uint8Array<ArrayBuffer>;
}
