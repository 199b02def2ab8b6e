import type { BlindIndex, FieldCipher } from '../contracts/data-protection';

/** The device of a login, as its owner may recognise it. */
export interface Device {
  /** Tells the devices of one account apart; only its blind index is stored. */
  readonly key: string;
  readonly userAgent: string;
  readonly ip: string;
}

/** What is shown of it. */
export type DeviceDescription = Pick<Device, 'userAgent' | 'ip'>;

interface SessionId {
  readonly id: string;
  readonly userId: string;
}

/** A device as the row of its session holds it. */
export type ProtectDevice = (
  session: SessionId,
  device: Device,
) => { readonly index: Uint8Array<ArrayBuffer>; readonly ciphertext: string };

const location = (rowId: string) => ({ table: 'sessions', column: 'device_ciphertext', rowId });

export const createProtectDevice =
  (cipher: Pick<FieldCipher, 'encrypt'>, blindIndex: BlindIndex): ProtectDevice =>
  ({ id, userId }, { key, userAgent, ip }) => ({
    index: blindIndex.of('device', `${userId}\0${key}`),
    ciphertext: cipher.encrypt(JSON.stringify({ userAgent, ip } satisfies DeviceDescription), location(id)),
  });

export const readDevice = (
  cipher: Pick<FieldCipher, 'decrypt'>,
  sessionId: string,
  ciphertext: string,
): DeviceDescription => JSON.parse(cipher.decrypt(ciphertext, location(sessionId))) as DeviceDescription;
