import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { ContactChannel } from '../contracts/contact-change-workflow';
import type { BlindIndex } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import type { PasswordHasher } from '../crypto/password-hasher';
import type { PasswordRepository } from '../repositories/password-repository';
import type { UserRepository } from '../repositories/user-repository';

import type { ProvePassword } from './password-proof';

interface Dependencies {
  readonly users: Pick<UserRepository, 'findById'>;
  readonly passwords: Pick<PasswordRepository, 'find' | 'rehash'>;
  readonly hasher: Pick<PasswordHasher, 'renew'>;
  readonly blindIndex: BlindIndex;
  readonly provePassword: ProvePassword;
  /** A login proves the person for so long, milliseconds. */
  readonly maxAgeMs: number;
}

/** Proves once more who holds a session, before what would give the account away (ASVS 7.5.1). */
export interface Reauthentication {
  /** @throws {AppError} `invalid_credentials`, `login_delayed`, `overloaded`; failures count and are recorded as those of a login */
  byPassword(caller: Caller, password: string, channel: ContactChannel, origin: RequestOrigin): Promise<void>;
  /** @throws {AppError} `reauthentication_required` where the last login is too old */
  byRecentLogin(caller: Caller): void;
}

export const createReauthentication = (deps: Dependencies): Reauthentication => {
  const { users, passwords, hasher, blindIndex, provePassword, maxAgeMs } = deps;
  const maxAgeSeconds = Math.floor(maxAgeMs / 1_000);

  return {
    async byPassword({ userId }, password, channel, origin) {
      const [user, credential] = await Promise.all([users.findById(userId), passwords.find(userId)]);
      if (user === undefined || credential === undefined) throw new AppError('invalid_credentials');
      const [action, actor] = [`user.${channel}_change_failed`, { kind: 'user', id: userId }] as const;
      await provePassword({ user, credential, password }, { action, actor }, origin);
      // The salt of a registration is known by the address, which may be another one soon.
      const renewed = await hasher.renew(credential.hash, password, blindIndex.of('email', user.email));
      if (renewed !== undefined) await passwords.rehash(userId, credential.hash, renewed);
    },

    byRecentLogin({ authTime }) {
      if (Date.now() / 1_000 - authTime <= maxAgeSeconds) return;
      // RFC 9470, section 3.
      const challenge = `Bearer error="insufficient_user_authentication", max_age="${String(maxAgeSeconds)}"`;
      throw new AppError('reauthentication_required', { headers: { 'WWW-Authenticate': challenge } });
    },
  };
};
