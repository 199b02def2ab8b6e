import type { BlindIndex, FieldCipher, FieldLocation } from '../contracts/data-protection';

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
) => Promise<{ readonly index: Uint8Array<ArrayBuffer>; readonly ciphertext: string }>;

const location = ({ id, userId }: SessionId): FieldLocation => ({
  table: 'sessions',
  column: 'device_ciphertext',
  rowId: id,
  personId: userId,
});

export const createProtectDevice =
  (cipher: Pick<FieldCipher, 'encrypt'>, blindIndex: BlindIndex): ProtectDevice =>
  async (session, { key, userAgent, ip }) => ({
    index: blindIndex.of('device', `${session.userId}\0${key}`),
    ciphertext: await cipher.encrypt(JSON.stringify({ userAgent, ip } satisfies DeviceDescription), location(session)),
  });

export const readDevice = async (
  cipher: Pick<FieldCipher, 'decrypt'>,
  session: SessionId,
  ciphertext: string,
): Promise<DeviceDescription> => JSON.parse(await cipher.decrypt(ciphertext, location(session))) as DeviceDescription;
