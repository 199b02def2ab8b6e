export { notice } from './notice';
export { passwordReset } from './password-reset';
export { registration } from './registration';
export { signingKeyRetirement, signingKeyRotation } from './signing-key-rotation';
