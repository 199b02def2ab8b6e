import type { RequestOrigin } from '../contracts/audit';

/** What is kept of the device of a login: enough for its owner to recognise it, and no more. */
export interface Device {
  /** Tells the devices of one account apart. */
  readonly key: string;
  readonly userAgent: string;
  readonly ip: string;
}

/** The first that fits: browsers name the ones that they descend from as well. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/\bMeqenet\b/i, 'Meqenet app'],
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera|OPT)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bVersion\/.*Safari\//, 'Safari'],
  [/\bokhttp\b/i, 'Android app'],
  [/\bCFNetwork\b/, 'iOS app'],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, 'Android'],
  [/\b(iPhone|iPad|iPod)\b/, 'iOS'],
  [/\bWindows\b/, 'Windows'],
  [/\b(Macintosh|Mac OS X)\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

/** Longer than what programs send; one of the patterns takes steps quadratic in it. */
const MAX_USER_AGENT_LENGTH = 512;

const nameIn = (names: typeof PROGRAMS, text: string): string | undefined =>
  names.find(([pattern]) => pattern.test(text))?.[1];

/** `Firefox on Android`: without versions, so that an update is not another device. */
export const summariseUserAgent = (userAgent: string | undefined): string => {
  const text = (userAgent ?? '').slice(0, MAX_USER_AGENT_LENGTH);
  const [program, system] = [nameIn(PROGRAMS, text), nameIn(SYSTEMS, text)];
  if (program === undefined) return system === undefined ? 'Unknown device' : `Unknown program on ${system}`;
  return system === undefined ? program : `${program} on ${system}`;
};

/** The network that the address belongs to: three of four parts of IPv4, 48 bits of IPv6. */
export const maskAddress = (address: string): string => {
  const [, , , ipv4] = /^(::ffff:)?((\d+\.\d+\.\d+)\.\d+)$/i.exec(address) ?? [];
  if (ipv4 !== undefined) return `${ipv4}.*`;
  const [head = ''] = address.toLowerCase().split('::');
  return `${head.split(':').slice(0, 3).join(':')}:*`;
};

/** Opaque, and long enough to be told apart; what does not look like one is ignored. */
const DEVICE_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** The id that the client has chosen, if it has chosen a usable one. */
export const givenDeviceId = ({ deviceId }: Pick<RequestOrigin, 'deviceId'>): string | undefined =>
  deviceId !== undefined && DEVICE_ID.test(deviceId) ? deviceId : undefined;

/** By the id that the client has chosen or, without one, by the kind of its program. Nothing is granted for it. */
export const deviceOf = ({ deviceId, userAgent, ip }: RequestOrigin): Device => {
  const summary = summariseUserAgent(userAgent);
  const given = givenDeviceId({ deviceId });
  return { key: given !== undefined ? `id:${given}` : `kind:${summary}`, userAgent: summary, ip: maskAddress(ip) };
};
