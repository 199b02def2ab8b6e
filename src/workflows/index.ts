export { contactChange } from './contact-change';
export { contactNotice } from './contact-notice';
export { notice } from './notice';
export { passwordReset } from './password-reset';
export { registration } from './registration';
export { signingKeyRetirement, signingKeyRotation } from './signing-key-rotation';
