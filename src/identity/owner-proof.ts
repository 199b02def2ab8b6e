import type { Caller } from '../contracts/caller';
import { STEP_UP_MAX_AGE_MS } from '../contracts/mfa';
import type { FactorRepository } from '../repositories/factor-repository';

import { requireAssurance } from './assurance';
import type { Reauthentication } from './reauthentication';

interface Dependencies {
  readonly reauthentication: Pick<Reauthentication, 'byRecentLogin'>;
  readonly factors: Pick<FactorRepository, 'hasAny'>;
}

/**
 * Proves that the owner is there now, before what gives away or ends all that the account holds: by a fresh login, and where a second
 * factor is on, by that (NIST SP 800-63B-4: reauthentication).
 *
 * @throws {AppError} `reauthentication_required`, `step_up_required`
 */
export type ProveOwner = (caller: Caller) => Promise<void>;

export const createProveOwner =
  ({ reauthentication, factors }: Dependencies): ProveOwner =>
  async (caller) => {
    if (await factors.hasAny(caller.userId)) requireAssurance(caller, { acr: 'aal2', maxAgeMs: STEP_UP_MAX_AGE_MS });
    else reauthentication.byRecentLogin(caller);
  };
