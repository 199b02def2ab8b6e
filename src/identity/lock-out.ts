import { createHmac, randomUUID } from 'node:crypto';

import type { LimitsConfig } from '../config/limits.config';
import { addressRange } from '../contracts/address';
import type { RequestOrigin } from '../contracts/audit';
import { AppError } from '../contracts/errors';
import type { LoginFailureKey, LoginFailureRepository, LoginFailures } from '../repositories/login-failure-repository';
import { givenDeviceId } from './device';

export type LockOutReason = 'device' | 'range' | 'account';

interface Dependencies {
  readonly failures: LoginFailureRepository;
  /** Keys in the database are HMACs under this one. */
  readonly key: Buffer;
  /** Read at use: it may change while the process runs. */
  readonly config: Pick<LimitsConfig, 'mode' | 'lockOut'>;
  readonly onDelayed: (reason: LockOutReason, mode: LimitsConfig['mode']) => void;
}

/** One login attempt, from before the password is looked at until its end. */
export interface LoginAttempt {
  /**
   * @param userId the account of the identifier; undefined where there is none, which takes the same steps
   * @throws {AppError} `login_delayed`: too many failures before it
   */
  check(userId: string | undefined): Promise<void>;
  failed(): Promise<void>;
  succeeded(userId: string): Promise<void>;
}

/** Several places may fail this many times more before all strangers have to wait. */
const ACCOUNT_ALLOWANCE = 2;

/**
 * Delays logins after failures, without a lock that a stranger could turn on the owner (keycloak#46164, ASVS 6.1.1, 6.3.1).
 *
 * Failures in a row are counted apart by known device, by address range and identifier, and by identifier over all strangers. A
 * device is known once it has logged in to the account; it is answerable only for its own failures. See docs/lock-out.md.
 */
export const createLockOut = ({ failures, key, config, onDelayed }: Dependencies) => {
  const hash = (...parts: readonly string[]): LoginFailureKey =>
    Uint8Array.from(createHmac('sha256', key).update(parts.join('\0')).digest());
  const deviceIndexOf = (deviceId: string): LoginFailureKey => hash('known-device', deviceId);

  /** When the next try may come, milliseconds since the epoch. */
  const opensAt = (found: LoginFailures | undefined, freeFailures: number, maxFailures: number): number => {
    if (found === undefined || found.count < freeFailures) return 0;
    const { baseDelayMs, maxDelayMs, forgetAfterMs } = config.lockOut;
    const delay =
      found.count >= maxFailures
        ? forgetAfterMs
        : Math.min(maxDelayMs, baseDelayMs * 2 ** (found.count - freeFailures));
    return found.lastFailedAt.getTime() + delay;
  };

  const refuse = (reason: LockOutReason, until: number): void => {
    const waitMs = until - Date.now();
    if (waitMs <= 0) return;
    onDelayed(reason, config.mode);
    if (config.mode === 'observe') return;
    throw new AppError('login_delayed', { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
  };

  /** What failures are counted under. */
  const keysOf = (identifierIndex: Uint8Array, origin: Pick<RequestOrigin, 'ip' | 'deviceId'>) => {
    const deviceId = givenDeviceId(origin);
    const identifier = Buffer.from(identifierIndex).toString('hex');
    const device = deviceId === undefined ? undefined : hash('device', identifier, deviceId);
    const range = hash('range', identifier, addressRange(origin.ip));
    const account = hash('account', identifier);
    return { deviceId, device, range, account, all: [range, account, ...(device === undefined ? [] : [device])] };
  };

  const begin = (identifierIndex: Uint8Array, origin: Pick<RequestOrigin, 'ip' | 'deviceId'>): LoginAttempt => {
    const { deviceId, device, range, account, all } = keysOf(identifierIndex, origin);
    // Asked while the account is looked up.
    const finding = failures.find(all);
    finding.catch(() => undefined);
    let known: { readonly userId: string; readonly deviceIndex: LoginFailureKey } | undefined;
    let deviceFailures = 0;

    return {
      async check(userId) {
        if (deviceId !== undefined) {
          const deviceIndex = deviceIndexOf(deviceId);
          const isKnown = await failures.isKnownDevice(userId ?? randomUUID(), deviceIndex);
          if (isKnown && userId !== undefined) known = { userId, deviceIndex };
        }
        const [byRange, byAccount, byDevice] = await finding;
        const { freeFailures, maxFailures } = config.lockOut;
        deviceFailures = byDevice?.count ?? 0;
        if (known !== undefined) {
          refuse('device', opensAt(byDevice, freeFailures, maxFailures));
          return;
        }
        refuse('range', opensAt(byRange, freeFailures, maxFailures));
        refuse('account', opensAt(byAccount, Math.min(maxFailures, freeFailures * ACCOUNT_ALLOWANCE), maxFailures));
      },

      async failed() {
        const { forgetAfterMs, maxFailures } = config.lockOut;
        const expiresAt = new Date(Date.now() + forgetAfterMs);
        if (known === undefined || device === undefined) return failures.add([range, account], expiresAt);
        await failures.add([device], expiresAt);
        // So many wrong passwords are not its owner's: it is a stranger from now on.
        if (deviceFailures + 1 >= maxFailures) await failures.forgetDevice(known.userId, known.deviceIndex);
      },

      async succeeded(userId) {
        const found = await finding;
        await Promise.all([
          found.some((entry) => entry !== undefined) && failures.clear(all),
          deviceId !== undefined && failures.rememberDevice(userId, deviceIndexOf(deviceId)),
        ]);
      },
    };
  };

  return {
    begin,
    /** A device on which its account has just proven itself in another way, such as the code of the registration. */
    async remember(userId: string, origin: Pick<RequestOrigin, 'deviceId'>): Promise<void> {
      const deviceId = givenDeviceId(origin);
      if (deviceId !== undefined) await failures.rememberDevice(userId, deviceIndexOf(deviceId));
    },
    /**
     * Under which keys failures are to be forgotten for whoever has just proven by mail that an identifier is theirs: those of all
     * strangers, of their own address range and of their device. Hex.
     */
    keysToUnlock: (identifierIndex: Uint8Array, origin: Pick<RequestOrigin, 'ip' | 'deviceId'>): string[] =>
      keysOf(identifierIndex, origin).all.map((key) => Buffer.from(key).toString('hex')),
  };
};
export type LockOut = ReturnType<typeof createLockOut>;
