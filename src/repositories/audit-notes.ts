import type { AuditAction } from '../contracts/audit';
import { type FieldCipher, FieldCipherError, type FieldLocation } from '../contracts/data-protection';

/** The details in which staff writes freely about a person: sealed for that person, and erased with them. */
const NOTES: Readonly<Partial<Record<AuditAction, string>>> = {
  'user.locked': 'reason',
  'user.unlocked': 'reason',
  'mfa.recovery_approved': 'note',
  'mfa.recovery_denied': 'note',
};
/** Events from before notes were sealed have them in the clear. */
const SEALED = 'v2:';

interface About {
  readonly id: string;
  readonly action: string;
  readonly subject_id: string | null;
}
type Details = Readonly<Record<string, unknown>>;

const location = ({ id, subject_id: subjectId }: About): FieldLocation => ({
  table: 'audit_events',
  column: 'details',
  rowId: id,
  personId: subjectId ?? undefined,
});

const withNote = async (
  details: Details,
  about: About,
  change: (note: string) => Promise<string>,
): Promise<Details> => {
  const field = NOTES[about.action as AuditAction];
  const note = field === undefined ? undefined : details[field];
  if (field === undefined || typeof note !== 'string') return details;
  try {
    return { ...details, [field]: await change(note) };
  } catch (error) {
    if (error instanceof FieldCipherError && error.reason === 'erased') return { ...details, [field]: null };
    throw error;
  }
};

/** Details as they are stored. */
export const sealNote = (cipher: Pick<FieldCipher, 'encrypt'>, details: Details, about: About): Promise<Details> =>
  withNote(details, about, (note) => cipher.encrypt(note, location(about)));

/** Details as they were given; null in the place of a note about somebody who was erased. */
export const openNote = (cipher: Pick<FieldCipher, 'decrypt'>, details: Details, about: About): Promise<Details> =>
  withNote(details, about, async (note) => (note.startsWith(SEALED) ? cipher.decrypt(note, location(about)) : note));
