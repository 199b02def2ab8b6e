import type { Assurance } from '../contracts/assurance';
import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';

/** Where the caller has not shown a second factor lately. @throws {AppError} `step_up_required` */
export const requireAssurance = (
  { acr, authTime }: Pick<Caller, 'acr' | 'authTime'>,
  { acr: wanted, maxAgeMs }: Assurance,
  now: () => number = Date.now,
): void => {
  const maxAge = Math.floor(maxAgeMs / 1_000);
  if (acr === wanted && now() / 1_000 - authTime <= maxAge) return;
  // RFC 9470, section 3.
  const challenge = `Bearer error="insufficient_user_authentication", acr_values="${wanted}", max_age="${String(maxAge)}"`;
  throw new AppError('step_up_required', { headers: { 'WWW-Authenticate': challenge } });
};
