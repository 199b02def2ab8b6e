export { contactChange } from './contact-change';
export { contactNotice } from './contact-notice';
export { factorCode } from './factor-code';
export { mfaEnrollment } from './mfa-enrollment';
export { noticeSweep } from './notice-sweep';
export { passwordReset } from './password-reset';
export { registration } from './registration';
export { signingKeyRetirement, signingKeyRotation } from './signing-key-rotation';
