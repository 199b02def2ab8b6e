import type {
  ContactAttempt,
  ContactAttemptOutcome,
  ContactRequestOutcome,
} from '../contracts/contact-change-workflow';
import type { ContactChangeRepository } from '../repositories/contact-change-repository';
import type { ContactConfirmRepository } from '../repositories/contact-confirm-repository';
import type { ContactRequestRepository, NewContactChange } from '../repositories/contact-request-repository';

interface Dependencies {
  readonly contactChanges: Pick<ContactChangeRepository, 'close'>;
  readonly contactRequests: ContactRequestRepository;
  readonly contactConfirms: ContactConfirmRepository;
}

/** The steps of a change of phone or address that touch the database. Each may run twice without harm. */
export const createContactChangeActivities = ({ contactChanges, contactRequests, contactConfirms }: Dependencies) => ({
  createContactChange: (change: NewContactChange): Promise<ContactRequestOutcome> => contactRequests.create(change),

  /** In one transaction: the new contact, what follows from it, and its record. */
  confirmContactChange: (attempt: ContactAttempt & { changeId: string }): Promise<ContactAttemptOutcome> =>
    contactConfirms.confirm(attempt),

  closeContactChange: ({ changeId }: { changeId: string }): Promise<void> => contactChanges.close(changeId),
});
export type ContactChangeActivities = ReturnType<typeof createContactChangeActivities>;
