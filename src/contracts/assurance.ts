/** How surely and how lately somebody must have proven who they are. */
export interface Assurance {
  /** Authenticator assurance level (NIST SP 800-63B-4): two factors. */
  readonly acr: 'aal2';
  /** Longest time since the second factor was shown, milliseconds. */
  readonly maxAgeMs: number;
}
