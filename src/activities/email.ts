import { ApplicationFailure } from '@temporalio/common';

import type { Mailer } from '../mail/mailer';
import type { RegistrationRepository } from '../repositories/registration-repository';

interface Dependencies {
  readonly registrations: Pick<RegistrationRepository, 'findOpen'>;
  readonly codes: { code(registrationId: string, issue: number): string };
  readonly mailer: Pick<Mailer, 'sendVerificationCode' | 'sendAlreadyRegistered' | 'sendDetailsTaken'>;
  /** The page that a link in a mail opens. */
  readonly verificationUrl: string;
}

/** Tells errors that no retry can mend, declared where they are thrown. */
const isPermanent = (error: unknown): error is Error =>
  error instanceof Error && 'permanent' in error && error.permanent === true;

/** The mails of the `email` task queue. Each goes out once, however often its activity runs. */
export const createEmailActivities = ({ registrations, codes, mailer, verificationUrl }: Dependencies) => ({
  /** Mails what the `issue`-th mail of a registration has to say; nothing once it is closed or a newer mail was asked for. */
  async sendRegistrationMail({ registrationId, issue }: { registrationId: string; issue: number }): Promise<void> {
    const registration = await registrations.findOpen(registrationId);
    if (registration === undefined || issue < registration.codesIssued) return;
    const { kind, submission, expiresAt } = registration;
    const mail = { registrationId, issue, to: submission.email, locale: submission.locale };
    try {
      if (kind === 'SIGN_UP') {
        const code = codes.code(registrationId, issue);
        // In the fragment: it reaches no server log, and a scanner that opens the link uses nothing up.
        const link = `${verificationUrl}#registrationId=${registrationId}&code=${code}`;
        await mailer.sendVerificationCode({ ...mail, code, link, expiresAt });
      } else if (kind === 'ADDRESS_TAKEN') {
        await mailer.sendAlreadyRegistered(mail);
      } else if (kind === 'DETAILS_TAKEN') {
        await mailer.sendDetailsTaken(mail);
      }
    } catch (error) {
      if (isPermanent(error)) throw ApplicationFailure.nonRetryable(error.message, 'MAIL_REJECTED');
      throw error;
    }
  },
});
export type EmailActivities = ReturnType<typeof createEmailActivities>;
