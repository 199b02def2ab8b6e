import type { Locale } from '../contracts/locale';
import type { MailTransport } from './mail-transport';
import { messageIdFor, senderDomain } from './message-id';
import { render, type RenderedMail } from './templates';

/** The record of what was sent. */
export interface MailDeliveries {
  /**
   * Runs `send` once per key, ever: holds the key's row lock meanwhile, records the acceptance afterwards; returns
   * false without calling `send` when it was sent before; a failing `send` releases the key.
   */
  once(key: string, messageId: string, send: () => Promise<void>): Promise<boolean>;
}

export interface MailerDeps {
  readonly transport: Pick<MailTransport, 'send'>;
  readonly deliveries: MailDeliveries;
  /** Sender of every mail; Message-IDs end in its domain. */
  readonly from: string;
  /** The time, milliseconds since 1970. */
  readonly now?: () => number;
}

interface Addressee {
  readonly to: string;
  readonly locale: Locale;
}

/** A mail about a change of phone or address. */
interface ContactChangeMail extends Addressee {
  readonly changeId: string;
}

/** A mail of an account recovery, and which one. */
interface RecoveryMail extends Addressee {
  readonly recoveryId: string;
  readonly message: string;
}

/** A mail of an erasure, and which one. */
interface ErasureMail extends Addressee {
  readonly erasureId: string;
  readonly message: string;
}

/** A mail of a registration; `issue` counts how often it was asked for (first mail, then each resend). */
interface RegistrationMail extends Addressee {
  readonly registrationId: string;
  readonly issue: number;
}

/**
 * Writes and sends the service's mails, each at most once per delivery key.
 *
 * SMTP is at-least-once by nature: a process that dies in the instant between the server's acceptance and its record
 * sends the mail again. The copy carries the same Message-ID, because the id follows from the key.
 *
 * Every method returns false when the mail had been sent before, and throws `MailRejectedError` (final) or
 * `MailUnavailableError` (try again), after which the key is free.
 */
export const createMailer = ({ transport, deliveries, from, now = Date.now }: MailerDeps) => {
  const domain = senderDomain(from);

  /** Sends `mail` unless a mail with this key was sent before. */
  const deliver = (key: string, { to, locale }: Addressee, { subject, text, html }: RenderedMail): Promise<boolean> => {
    const messageId = messageIdFor(key, domain);
    return deliveries.once(key, messageId, () => transport.send({ to, locale, subject, text, html, messageId }));
  };

  return {
    deliver,
    /** The code that proves the address, and the link that carries it. */
    sendVerificationCode: (
      mail: RegistrationMail & { code: string; link: string; expiresAt: Date },
    ): Promise<boolean> =>
      deliver(
        `verification/${mail.registrationId}/${String(mail.issue)}`,
        mail,
        render('verification-code', mail.locale, {
          code: mail.code,
          link: mail.link,
          validForMs: mail.expiresAt.getTime() - now(),
        }),
      ),
    /** To the owner of an address with which somebody tried to register again. */
    sendAlreadyRegistered: (mail: RegistrationMail): Promise<boolean> =>
      deliver(
        `already-registered/${mail.registrationId}/${String(mail.issue)}`,
        mail,
        render('already-registered', mail.locale, {}),
      ),
    /** To an address whose registration gave a phone number or Fayda ID of somebody's account; does not say which. */
    sendDetailsTaken: (mail: RegistrationMail): Promise<boolean> =>
      deliver(
        `details-taken/${mail.registrationId}/${String(mail.issue)}`,
        mail,
        render('details-taken', mail.locale, {}),
      ),
    sendWelcome: (mail: Addressee & { userId: string; firstName?: string | undefined }): Promise<boolean> =>
      deliver(`welcome/${mail.userId}`, mail, render('welcome', mail.locale, { firstName: mail.firstName })),
    /** Tells the owner that the password is another one now; once per change. */
    sendPasswordChanged: (mail: Addressee & { eventId: string }): Promise<boolean> =>
      deliver(`password-changed/${mail.eventId}`, mail, render('password-changed', mail.locale, {})),
    /** Tells the owner that a second factor is on now, a new one in the stead of the old one included; once per enrolment. */
    sendMfaEnabled: (mail: Addressee & { eventId: string }): Promise<boolean> =>
      deliver(`mfa-enabled/${mail.eventId}`, mail, render('mfa-enabled', mail.locale, {})),
    /** Tells the owner that a second factor was removed; once per factor. */
    sendMfaDisabled: (mail: Addressee & { eventId: string }): Promise<boolean> =>
      deliver(`mfa-disabled/${mail.eventId}`, mail, render('mfa-disabled', mail.locale, {})),
    /** Tells the owner that a recovery code was used, and how many are left; once per code. */
    sendRecoveryCodeUsed: (mail: Addressee & { eventId: string; codesLeft: number }): Promise<boolean> =>
      deliver(
        `mfa-recovery-code-used/${mail.eventId}`,
        mail,
        render('recovery-code-used', mail.locale, { codesLeft: mail.codesLeft }),
      ),
    /** Tells the owner that somebody may have a copy of a passkey; once per event. */
    sendPasskeySuspected: (mail: Addressee & { eventId: string }): Promise<boolean> =>
      deliver(`passkey-suspected/${mail.eventId}`, mail, render('passkey-suspected', mail.locale, {})),
    /** Tells the owner of a login from a device that the account had not seen; once per session. */
    sendNewDevice: (mail: Addressee & { eventId: string }): Promise<boolean> =>
      deliver(`session-new-device/${mail.eventId}`, mail, render('session-new-device', mail.locale, {})),
    /** Tells the owner that a session was ended because an old refresh token of it was shown; once per session. */
    sendReuseDetected: (mail: Addressee & { eventId: string }): Promise<boolean> =>
      deliver(`session-reuse-detected/${mail.eventId}`, mail, render('session-reuse-detected', mail.locale, {})),
    /** The code of a second factor. */
    sendFactorCode: (mail: Addressee & { codeId: string; code: string; expiresAt: Date }): Promise<boolean> =>
      deliver(
        `factor-code/${mail.codeId}`,
        mail,
        render('factor-code', mail.locale, { code: mail.code, validForMs: mail.expiresAt.getTime() - now() }),
      ),
    /** The code that proves a new address. */
    sendEmailChangeCode: (mail: ContactChangeMail & { code: string; expiresAt: Date }): Promise<boolean> =>
      deliver(
        `email-change-code/${mail.changeId}`,
        mail,
        render('email-change-code', mail.locale, { code: mail.code, validForMs: mail.expiresAt.getTime() - now() }),
      ),
    /** Instead of the code, where the address is somebody else's. */
    sendEmailChangeTaken: (mail: ContactChangeMail): Promise<boolean> =>
      deliver(`email-change-code/${mail.changeId}`, mail, render('email-change-taken', mail.locale, {})),
    /** To the address that the account has. */
    sendEmailChangeRequested: (mail: ContactChangeMail): Promise<boolean> =>
      deliver(`email-change-requested/${mail.changeId}`, mail, render('email-change-requested', mail.locale, {})),
    /** After the change, to the old and to the new address. */
    sendEmailChanged: (mail: ContactChangeMail & { isOld: boolean }): Promise<boolean> =>
      deliver(
        `email-changed-${mail.isOld ? 'old' : 'new'}/${mail.changeId}`,
        mail,
        render('email-changed', mail.locale, { isOld: mail.isOld }),
      ),
    /** That somebody who knows the password wants the second factors gone, and how to stop it; `message` tells reminders apart. */
    sendRecoveryRequested: (mail: RecoveryMail & { cancelLink: string; availableAt: Date }): Promise<boolean> =>
      deliver(
        `recovery/${mail.recoveryId}/${mail.message}`,
        mail,
        render('recovery-requested', mail.locale, {
          cancelLink: mail.cancelLink,
          availableInMs: mail.availableAt.getTime() - now(),
        }),
      ),
    /** The link that completes it. */
    sendRecoveryReady: (mail: RecoveryMail & { link: string; cancelLink: string; expiresAt: Date }): Promise<boolean> =>
      deliver(
        `recovery/${mail.recoveryId}/${mail.message}`,
        mail,
        render('recovery-ready', mail.locale, {
          ...{ link: mail.link, cancelLink: mail.cancelLink },
          validForMs: mail.expiresAt.getTime() - now(),
        }),
      ),
    /** That it ended without a change. */
    sendRecoveryEnded: (mail: RecoveryMail): Promise<boolean> =>
      deliver(`recovery/${mail.recoveryId}/${mail.message}`, mail, render('recovery-ended', mail.locale, {})),
    /** That a copy of everything was made, and for how long it is there. */
    sendDataExported: (mail: Addressee & { exportId: string; expiresAt: Date }): Promise<boolean> =>
      deliver(
        `data-exported/${mail.exportId}`,
        mail,
        render('data-exported', mail.locale, { validForMs: mail.expiresAt.getTime() - now() }),
      ),
    /** That the account will be erased, and when; `message` tells the reminder apart. */
    sendErasureRequested: (mail: ErasureMail & { eraseAt: Date }): Promise<boolean> =>
      deliver(
        `erasure/${mail.erasureId}/${mail.message}`,
        mail,
        render('erasure-requested', mail.locale, { erasedInMs: mail.eraseAt.getTime() - now() }),
      ),
    /** That it was taken back. */
    sendErasureCancelled: (mail: ErasureMail): Promise<boolean> =>
      deliver(`erasure/${mail.erasureId}/${mail.message}`, mail, render('erasure-cancelled', mail.locale, {})),
    /** The last mail to an address. */
    sendErasing: (mail: ErasureMail): Promise<boolean> =>
      deliver(`erasure/${mail.erasureId}/${mail.message}`, mail, render('erasing', mail.locale, {})),
    /** Tells the owner of another phone; once per change. */
    sendPhoneChanged: (mail: Addressee & { eventId: string }): Promise<boolean> =>
      deliver(`phone-changed/${mail.eventId}`, mail, render('phone-changed', mail.locale, {})),
    /** Tells the owner that somebody else has proven the phone; once per change. */
    sendPhoneReleased: (mail: Addressee & { eventId: string }): Promise<boolean> =>
      deliver(`phone-released/${mail.eventId}`, mail, render('phone-released', mail.locale, {})),
    /** The link of the `issue`-th mail of a password reset. */
    sendPasswordReset: (
      mail: Addressee & { resetId: string; issue: number; link: string; expiresAt: Date },
    ): Promise<boolean> =>
      deliver(
        `password-reset/${mail.resetId}/${String(mail.issue)}`,
        mail,
        render('password-reset', mail.locale, { link: mail.link, validForMs: mail.expiresAt.getTime() - now() }),
      ),
  };
};
export type Mailer = ReturnType<typeof createMailer>;
