import type { Role } from './session';

/** Who sends a request, as the access token says and the session store confirms. */
export interface Caller {
  readonly userId: string;
  readonly sessionId: string;
  readonly roles: readonly Role[];
  /** Authentication context class: `aal1`, or `aal2` after a second factor. */
  readonly acr: string;
  /** Authentication methods (RFC 8176), such as `pwd`, `otp`. */
  readonly amr: readonly string[];
  /** When the person last proved who they are, seconds since the epoch. */
  readonly authTime: number;
}
