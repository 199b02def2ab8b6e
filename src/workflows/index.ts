export { registration } from './registration';
export { signingKeyRetirement, signingKeyRotation } from './signing-key-rotation';
