import { createHmac } from 'node:crypto';

import type { LimitsConfig } from '../config/limits.config';
import { addressRange } from '../contracts/address';
import type { RequestOrigin } from '../contracts/audit';
import { AppError } from '../contracts/errors';
import type { LoginFailureKey, LoginFailureRepository, LoginFailures } from '../repositories/login-failure-repository';
import type { LoginAccount, LoginIdentifier, LoginRepository } from '../repositories/login-repository';
import { givenDeviceId } from './device';

export type LockOutReason = 'device' | 'range' | 'account';

/** Where a login comes from. */
type Place = Pick<RequestOrigin, 'ip' | 'deviceId'>;

interface Dependencies {
  readonly logins: LoginRepository;
  readonly failures: LoginFailureRepository;
  /** Keys in the database are HMACs under this one. */
  readonly key: Buffer;
  /** Read at use: it may change while the process runs. */
  readonly config: Pick<LimitsConfig, 'mode' | 'lockOut'>;
  readonly onDelayed: (reason: LockOutReason, mode: LimitsConfig['mode']) => void;
}

/** One attempt at a password, from when it may be looked at until its end. */
export interface LoginAttempt {
  /** The account of the identifier; undefined where there is none, which takes the same steps. */
  readonly account: LoginAccount | undefined;
  failed(): Promise<void>;
  succeeded(): Promise<void>;
}

/** Several places may fail this many times more before all strangers have to wait. */
const ACCOUNT_ALLOWANCE = 2;
/** A known device is written again when it was last seen before so long. */
const DAY_MS = 24 * 60 * 60 * 1_000;

const hashUnder = (key: Buffer, parts: readonly string[]): LoginFailureKey =>
  Uint8Array.from(createHmac('sha256', key).update(parts.join('\0')).digest());
const accountParts = (identifierIndex: Uint8Array) => ['account', Buffer.from(identifierIndex).toString('hex')];

/** Under what the failures of an identifier are counted, wherever they came from. */
export const createFailureKeyOf =
  (key: Buffer) =>
  (identifierIndex: Uint8Array): LoginFailureKey =>
    hashUnder(key, accountParts(identifierIndex));

/**
 * Delays logins after failures, without a lock that a stranger could turn on the owner (keycloak#46164, ASVS 6.1.1, 6.3.1).
 *
 * Failures in a row are counted apart by known device, by address range and identifier, and by identifier over all strangers. A
 * device is known once it has logged in to the account; it is answerable only for its own failures. See docs/lock-out.md.
 */
export const createLockOut = ({ logins, failures, key, config, onDelayed }: Dependencies) => {
  const hash = (...parts: readonly string[]): LoginFailureKey => hashUnder(key, parts);
  const deviceIndexOf = (origin: Pick<RequestOrigin, 'deviceId'>): LoginFailureKey | undefined => {
    const deviceId = givenDeviceId(origin);
    return deviceId === undefined ? undefined : hash('known-device', deviceId);
  };

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
  const keysOf = (identifierIndex: Uint8Array, origin: Place) => {
    const deviceId = givenDeviceId(origin);
    const identifier = Buffer.from(identifierIndex).toString('hex');
    const device = deviceId === undefined ? undefined : hash('device', identifier, deviceId);
    const range = hash('range', identifier, addressRange(origin.ip));
    const account = hash(...accountParts(identifierIndex));
    return { device, range, account, all: [range, account, ...(device === undefined ? [] : [device])] };
  };

  /** @throws {AppError} `login_delayed`: too many failures before it */
  const begin = async (identifier: LoginIdentifier, origin: Place): Promise<LoginAttempt> => {
    const { device, range, account: anywhere, all } = keysOf(identifier.index, origin);
    const deviceIndex = deviceIndexOf(origin);
    const { account, failures: counts } = await logins.find(identifier, deviceIndex, all);
    const [byRange, byAccount, byDevice] = counts;
    const isKnown = account?.deviceLastUsedAt !== undefined;
    const { freeFailures, maxFailures } = config.lockOut;
    if (isKnown) refuse('device', opensAt(byDevice, freeFailures, maxFailures));
    else {
      refuse('range', opensAt(byRange, freeFailures, maxFailures));
      refuse('account', opensAt(byAccount, Math.min(maxFailures, freeFailures * ACCOUNT_ALLOWANCE), maxFailures));
    }

    return {
      account,

      async failed() {
        const { forgetAfterMs } = config.lockOut;
        const expiresAt = new Date(Date.now() + forgetAfterMs);
        if (!isKnown || device === undefined || deviceIndex === undefined)
          return failures.add([range, anywhere], expiresAt);
        await failures.add([device], expiresAt);
        // So many wrong passwords are not its owner's: it is a stranger from now on.
        if ((byDevice?.count ?? 0) + 1 >= maxFailures) await failures.forgetDevice(account.userId, deviceIndex);
      },

      async succeeded() {
        if (account === undefined) return;
        const { userId, deviceLastUsedAt } = account;
        const isFresh = deviceLastUsedAt !== undefined && Date.now() - deviceLastUsedAt.getTime() < DAY_MS;
        await Promise.all([
          counts.some((count) => count !== undefined) && failures.clear(all),
          deviceIndex !== undefined && !isFresh && failures.rememberDevice(userId, deviceIndex),
        ]);
      },
    };
  };

  return {
    begin,
    /** A device on which its account has just proven itself in another way, such as the code of the registration. */
    async remember(userId: string, origin: Pick<RequestOrigin, 'deviceId'>): Promise<void> {
      const deviceIndex = deviceIndexOf(origin);
      if (deviceIndex !== undefined) await failures.rememberDevice(userId, deviceIndex);
    },
    /**
     * Under which keys failures are to be forgotten for whoever has just proven by mail that an identifier is theirs: those of all
     * strangers, of their own address range and of their device. Hex.
     */
    keysToUnlock: (identifierIndex: Uint8Array, origin: Place): string[] =>
      keysOf(identifierIndex, origin).all.map((key) => Buffer.from(key).toString('hex')),
  };
};
export type LockOut = ReturnType<typeof createLockOut>;
