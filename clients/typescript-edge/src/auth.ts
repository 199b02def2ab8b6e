import { EdgeError } from './problem';

/** Who makes the request, as the access token says. */
export interface Auth {
  readonly userId: string;
  readonly sessionId: string;
  /** `CUSTOMER`, `MERCHANT`, `SUPPORT`, `COMPLIANCE`, `DEVELOPER`, `ADMIN`. */
  readonly roles: readonly string[];
  /** How sure it is who this is: `aal1` (one factor), `aal2` (two). */
  readonly acr: string;
  /** How they showed it (RFC 8176): `pwd`, `otp`, ... */
  readonly amr: readonly string[];
  /** When they last did. */
  readonly authTime: Date;
}

/** From weak to strong. */
const LEVELS = ['aal1', 'aal2'] as const;
export type Acr = (typeof LEVELS)[number];

export interface AcrOptions {
  /** The factor must have been shown no longer ago than this. */
  readonly maxAgeMs?: number;
}

/** One of the roles is enough. @throws {EdgeError} `forbidden` */
export const assertRole = (auth: Auth, roles: readonly string[]): void => {
  if (auth.roles.some((role) => roles.includes(role))) return;
  throw new EdgeError('forbidden', 'role', { challenge: 'Bearer error="insufficient_scope"' });
};

/** At least this level. An unknown level of the token counts as none. @throws {EdgeError} `step_up_required` (RFC 9470) */
export const assertAcr = (auth: Auth, wanted: Acr, { maxAgeMs }: AcrOptions = {}, now = Date.now()): void => {
  const isStrong = (LEVELS as readonly string[]).indexOf(auth.acr) >= LEVELS.indexOf(wanted);
  const isLate = maxAgeMs !== undefined && now - auth.authTime.getTime() > maxAgeMs;
  if (isStrong && !isLate) return;
  const maxAge = maxAgeMs === undefined ? '' : `, max_age="${String(Math.floor(maxAgeMs / 1_000))}"`;
  throw new EdgeError('step_up_required', isStrong ? 'age' : 'acr', {
    challenge: `Bearer error="insufficient_user_authentication", acr_values="${wanted}"${maxAge}`,
  });
};
