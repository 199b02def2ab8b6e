import type { Role } from './session';

/** Who sends a request, as the access token says and the session store confirms. */
export interface Caller {
  readonly userId: string;
  readonly sessionId: string;
  /** Those in force. */
  readonly roles: readonly Role[];
  /** Roles that the account has, and that wait for a strong second factor to be shown in this session. */
  readonly rolesOnHold?: readonly Role[];
  /** The account must set a strong second factor up before anything else. */
  readonly mfaEnrollmentRequired?: boolean;
  /** Authentication context class: `aal1`, or `aal2` after a second factor. */
  readonly acr: string;
  /** Authentication methods (RFC 8176), such as `pwd`, `otp`. */
  readonly amr: readonly string[];
  /** When the person last proved who they are, seconds since the epoch. */
  readonly authTime: number;
  /** When the access token expires, seconds since the epoch. */
  readonly tokenExpiresAt: number;
}
