import { v7 as uuidv7 } from 'uuid';

import type { SecurityConfig } from '../config/security.config';
import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { BlindIndex } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import type { LoginMfaResponse, RememberedDevicesResponse } from '../contracts/remembered-device';
import type { LoginAccount } from '../repositories/login-repository';
import type { RememberedDeviceRepository } from '../repositories/remembered-device-repository';

import { deviceOf, givenDeviceId } from './device';

interface Dependencies {
  readonly rememberedDevices: RememberedDeviceRepository;
  readonly blindIndex: BlindIndex;
  readonly tokens: { create(): string; hash(token: string): Uint8Array<ArrayBuffer> };
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
  /** Read at use: it may change while the process runs. */
  readonly config: Pick<SecurityConfig, 'rememberDevice'>;
}

/** A login with both factors. */
export interface FullLogin extends Pick<LoginAccount, 'userId' | 'passwordChangedAt'> {
  readonly sessionId: string;
  /** Before the second factor was shown. */
  readonly provenSince: Date;
}

export interface RememberedDevices {
  /** Whether the account remembers this device: a token that is wrong, of another device or of nobody takes the same steps as none. */
  recognise(
    account: Pick<LoginAccount, 'userId' | 'passwordChangedAt'>,
    deviceToken: string | undefined,
    origin: RequestOrigin,
  ): Promise<boolean>;
  /** Undefined where the policy does not allow it, or the device has no id of its own by which it could be told from others. */
  remember(
    login: FullLogin,
    origin: RequestOrigin,
  ): Promise<Pick<LoginMfaResponse, 'deviceToken' | 'deviceTokenExpiresAt'> | undefined>;
  list(caller: Caller): Promise<RememberedDevicesResponse['devices']>;
  /** @throws {AppError} `device_not_found` */
  forget(caller: Caller, id: string, origin: RequestOrigin): Promise<void>;
}

export const createRememberedDevices = (deps: Dependencies): RememberedDevices => {
  const { rememberedDevices, blindIndex, tokens, recordAudit, config } = deps;
  const deviceIndexOf = (userId: string, origin: RequestOrigin): Uint8Array<ArrayBuffer> =>
    blindIndex.of('device', `remembered\0${userId}\0${deviceOf(origin).key}`);
  /** A policy that was shortened holds for what was remembered under the longer one as well. */
  const rememberedAfter = (): Date => new Date(Date.now() - config.rememberDevice.forMs);

  return {
    async recognise({ userId, passwordChangedAt }, deviceToken = '', origin) {
      if (config.rememberDevice.forMs === 0) return false;
      const id = await rememberedDevices.recognise({
        ...{ userId, passwordChangedAt, rememberedAfter: rememberedAfter() },
        tokenHash: tokens.hash(deviceToken),
        deviceIndex: deviceIndexOf(userId, origin),
      });
      if (id === undefined) return false;
      const [actor, details] = [{ kind: 'user', id: userId } as const, { rememberedDeviceId: id }];
      await recordAudit({ action: 'device.recognised', actor, subjectId: userId, origin, details });
      return true;
    },

    async remember(login, origin) {
      const { forMs } = config.rememberDevice;
      if (forMs === 0 || givenDeviceId(origin) === undefined) return undefined;
      const [deviceToken, expiresAt] = [tokens.create(), new Date(Date.now() + forMs)];
      const { userAgent, ip } = deviceOf(origin);
      const isRemembered = await rememberedDevices.remember({
        ...{ ...login, id: uuidv7(), device: { userAgent, ip }, expiresAt, origin },
        tokenHash: tokens.hash(deviceToken),
        deviceIndex: deviceIndexOf(login.userId, origin),
      });
      return isRemembered ? { deviceToken, deviceTokenExpiresAt: expiresAt.toISOString() } : undefined;
    },

    async list({ userId }) {
      const found = await rememberedDevices.list(userId, rememberedAfter());
      return found.map(({ createdAt, lastUsedAt, expiresAt, ...device }) => ({
        ...device,
        createdAt: createdAt.toISOString(),
        lastUsedAt: lastUsedAt.toISOString(),
        expiresAt: expiresAt.toISOString(),
      }));
    },

    async forget({ userId }, id, origin) {
      if (!(await rememberedDevices.forget(userId, id, origin))) throw new AppError('device_not_found');
    },
  };
};
