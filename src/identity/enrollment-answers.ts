import type { EnrollableFactor, EnrollmentResponse } from '../contracts/mfa';
import type { Totp } from '../crypto/totp';
import type { User } from '../repositories/user-repository';

interface Dependencies {
  readonly totp: Pick<Totp, 'keyUri'>;
  readonly toQrCode: (text: string) => string;
}

type Shown = Pick<EnrollmentResponse, 'secret' | 'otpauthUri' | 'qrCode'>;
/** What the owner is shown of an enrolment, by its kind. */
export type EnrollmentAnswers = Readonly<
  Record<EnrollableFactor, (begun: { readonly secret: string; readonly user: Pick<User, 'email'> }) => Shown>
>;

export const createEnrollmentAnswers = ({ totp, toQrCode }: Dependencies): EnrollmentAnswers => ({
  totp({ secret, user }) {
    const otpauthUri = totp.keyUri(secret, user.email);
    return { secret, otpauthUri, qrCode: toQrCode(otpauthUri) };
  },
  // The code comes to the owner by itself.
  email_otp: () => ({}),
  sms_otp: () => ({}),
});
