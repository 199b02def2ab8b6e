import type { FieldLocation } from '../contracts/data-protection';
import type { DataKeyPurpose } from '../contracts/keys';

/** A column of cipher texts, and how the place of each is written (see `FieldLocation`). Names and expressions are SQL. */
export interface EncryptedColumn {
  readonly purpose: Exclude<DataKeyPurpose, 'codec' | 'audit'>;
  readonly table: string;
  readonly column: string;
  /** The primary key. */
  readonly key: string;
  readonly keyType: 'uuid' | 'text' | 'bytea';
  readonly rowId: string;
  /** Null where the values are about nobody. */
  readonly personId: string | null;
  /** Where the values were encrypted for another place than the one they stand in. */
  readonly locatedIn?: string;
}

const fields = (
  table: string,
  column: string,
  personId: string,
  other: Partial<EncryptedColumn> = {},
): EncryptedColumn => ({
  purpose: 'fields',
  table,
  column,
  key: 'id',
  keyType: 'uuid',
  rowId: 'id',
  personId,
  ...other,
});

/**
 * Every encrypted column but the origins of audit events, which never change. What encrypts a new one adds it here, or a
 * change of keys would leave it behind (there is a test).
 */
export const ENCRYPTED_COLUMNS: readonly EncryptedColumn[] = [
  fields('users', 'email_ciphertext', 'id'),
  fields('users', 'phone_ciphertext', 'id'),
  fields('users', 'fayda_id_ciphertext', 'id'),
  fields('users', 'first_name_ciphertext', 'id'),
  fields('users', 'last_name_ciphertext', 'id'),
  fields('registrations', 'profile_ciphertext', 'person_id', { rowId: 'workflow_id' }),
  fields('registrations', 'password_hash_ciphertext', 'person_id', { rowId: 'workflow_id' }),
  fields('contact_changes', 'contact_ciphertext', 'user_id'),
  fields('contact_changes', 'previous_ciphertext', 'user_id'),
  fields('sessions', 'device_ciphertext', 'user_id'),
  fields('data_exports', 'content_ciphertext', 'user_id'),
  fields('consent_records', 'origin_ciphertext', 'user_id'),
  fields('factors', 'label_ciphertext', 'user_id', { rowId: 'user_id' }),
  fields('factors', 'secret_ciphertext', 'user_id'),
  // A label moves to the factor that the enrolment becomes.
  fields('mfa_enrollments', 'label_ciphertext', 'user_id', { rowId: 'user_id', locatedIn: 'factors' }),
  fields('mfa_enrollments', 'secret_ciphertext', 'user_id'),
  fields('account_recoveries', 'device_ciphertext', 'user_id'),
  fields('remembered_devices', 'device_ciphertext', 'user_id'),
  {
    ...{ purpose: 'signing-keys', table: 'signing_keys', column: 'private_key_ciphertext', key: 'id', keyType: 'text' },
    ...{ rowId: 'id', personId: null },
  },
  {
    ...{ purpose: 'idempotency', table: 'idempotency_keys', column: 'answer_ciphertext', key: 'id', keyType: 'bytea' },
    ...{ rowId: `encode(id, 'hex')`, personId: null },
  },
];

export const locationOf = (
  { table, column, locatedIn }: EncryptedColumn,
  row: { readonly rowId: string; readonly personId: string | null },
): FieldLocation => ({ table: locatedIn ?? table, column, rowId: row.rowId, personId: row.personId ?? undefined });
