import type { FieldLocation } from '../contracts/data-protection';

/** The encrypted columns of an account. */
type UserColumn =
  'email_ciphertext' | 'phone_ciphertext' | 'fayda_id_ciphertext' | 'first_name_ciphertext' | 'last_name_ciphertext';

export const userLocation = (column: UserColumn, userId: string): FieldLocation => ({
  table: 'users',
  column,
  rowId: userId,
  personId: userId,
});
