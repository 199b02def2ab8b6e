import type { Mailer } from '../mail/mailer';
import type { PasswordResetRepository } from '../repositories/password-reset-repository';
import type { RegistrationRepository } from '../repositories/registration-repository';
import type { UserRepository } from '../repositories/user-repository';

import { sending } from './sending';

interface Dependencies {
  readonly registrations: Pick<RegistrationRepository, 'findOpen'>;
  readonly codes: { code(registrationId: string, issue: number): string };
  readonly resets: Pick<PasswordResetRepository, 'findForMail'>;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly resetTokens: { token(resetId: string, issue: number): string };
  readonly mailer: Pick<
    Mailer,
    'sendVerificationCode' | 'sendAlreadyRegistered' | 'sendDetailsTaken' | 'sendPasswordReset'
  >;
  /** The page that a link in a mail opens. */
  readonly verificationUrl: string;
  readonly passwordResetUrl: string;
}

/** The mails of the `email` task queue. Each goes out once, however often its activity runs. */
export const createEmailActivities = (deps: Dependencies) => ({
  /** Mails what the `issue`-th mail of a registration has to say; nothing once it is closed or a newer mail was asked for. */
  async sendRegistrationMail({ registrationId, issue }: { registrationId: string; issue: number }): Promise<void> {
    const { registrations, codes, mailer, verificationUrl } = deps;
    const registration = await registrations.findOpen(registrationId);
    if (registration === undefined || issue < registration.codesIssued) return;
    const { kind, profile, expiresAt } = registration;
    const mail = { registrationId, issue, to: profile.email, locale: profile.locale };
    await sending('MAIL_REJECTED', async () => {
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
    });
  },

  /** Mails the link of the `issue`-th mail of a reset; nothing where nobody has the address or the link no longer works. */
  async sendPasswordResetMail({ resetId, issue }: { resetId: string; issue: number }): Promise<void> {
    const { resets, users, resetTokens, mailer, passwordResetUrl } = deps;
    const reset = await resets.findForMail(resetId, issue);
    const user = reset && (await users.findById(reset.userId));
    if (reset === undefined || user === undefined) return;
    // In the fragment, as the code of a registration is.
    const link = `${passwordResetUrl}#token=${resetTokens.token(resetId, issue)}`;
    const { email: to, locale } = user;
    await sending('MAIL_REJECTED', () =>
      mailer.sendPasswordReset({ resetId, issue, to, locale, link, expiresAt: reset.expiresAt }),
    );
  },
});
export type EmailActivities = ReturnType<typeof createEmailActivities>;
