import type { Locale } from '../../contracts/locale';
import { erasing, erasureCancelled, erasureRequested } from './account-erasure';
import { recoveryEnded, recoveryReady, recoveryRequested } from './account-recovery';
import { alreadyRegistered } from './already-registered';
import type { MailContent } from './content';
import { dataExported } from './data-exported';
import { detailsTaken } from './details-taken';
import { emailChangeCode } from './email-change-code';
import { emailChangeRequested } from './email-change-requested';
import { emailChangeTaken } from './email-change-taken';
import { emailChanged } from './email-changed';
import { factorCode } from './factor-code';
import { layOut, type RenderedMail } from './layout';
import { mfaDisabled } from './mfa-disabled';
import { mfaEnabled } from './mfa-enabled';
import { passkeySuspected } from './passkey-suspected';
import { passwordChanged } from './password-changed';
import { passwordReset } from './password-reset';
import { phoneChanged } from './phone-changed';
import { phoneReleased } from './phone-released';
import { recoveryCodeUsed } from './recovery-code-used';
import { sessionNewDevice } from './session-new-device';
import { sessionReuseDetected } from './session-reuse-detected';
import { verificationCode } from './verification-code';
import { welcome } from './welcome';

export type { RenderedMail } from './layout';

/** Every mail that the service writes, by name. */
const TEMPLATES = {
  'verification-code': verificationCode,
  'already-registered': alreadyRegistered,
  'details-taken': detailsTaken,
  welcome,
  'password-changed': passwordChanged,
  'mfa-enabled': mfaEnabled,
  'mfa-disabled': mfaDisabled,
  'recovery-code-used': recoveryCodeUsed,
  'factor-code': factorCode,
  'passkey-suspected': passkeySuspected,
  'password-reset': passwordReset,
  'session-new-device': sessionNewDevice,
  'session-reuse-detected': sessionReuseDetected,
  'email-change-code': emailChangeCode,
  'email-change-requested': emailChangeRequested,
  'email-change-taken': emailChangeTaken,
  'email-changed': emailChanged,
  'recovery-requested': recoveryRequested,
  'recovery-ready': recoveryReady,
  'recovery-ended': recoveryEnded,
  'data-exported': dataExported,
  'erasure-requested': erasureRequested,
  'erasure-cancelled': erasureCancelled,
  erasing,
  'phone-changed': phoneChanged,
  'phone-released': phoneReleased,
} as const;

export type TemplateName = keyof typeof TEMPLATES;
export type TemplateParams<Name extends TemplateName> = Parameters<(typeof TEMPLATES)[Name][Locale]>[0];

/**
 * Writes a mail in a language.
 *
 * @throws {TypeError} when a link among the parameters is not an http or https URL
 */
export const render = <Name extends TemplateName>(
  name: Name,
  locale: Locale,
  params: TemplateParams<Name>,
): RenderedMail => {
  const write = TEMPLATES[name][locale] as (params: TemplateParams<Name>) => MailContent;
  return layOut(write(params), locale);
};
