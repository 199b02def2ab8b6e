import type { SectionName } from './sections';

/** What every process loads. */
export const EVERY_PROCESS = ['app', 'tls', 'secrets', 'pino', 'telemetry'] as const;
/** What whoever serves or works on accounts loads. */
const ACCOUNTS = [
  'database',
  'redis',
  'queue',
  'temporal',
  'sms',
  'tokens',
  'security',
  'keys',
  'webauthn',
  'privacy',
] as const;

/** The sections of the configuration that each process loads: it asks for no variable of another one, and knows none. */
export const PROCESS_SECTIONS = {
  api: [...EVERY_PROCESS, ...ACCOUNTS, 'grpc', 'mail', 'limits', 'gatewayTrust'],
  worker: [...EVERY_PROCESS, ...ACCOUNTS, 'mail', 'smsHttp'],
  consumer: [...EVERY_PROCESS, 'database', 'redis', 'queue', 'mail'],
  gateway: [...EVERY_PROCESS, 'redis', 'queue', 'tokens', 'limits', 'gatewayTrust', 'gateway'],
  'codec-server': [...EVERY_PROCESS, ...ACCOUNTS, 'limits'],
} as const satisfies Record<string, readonly SectionName[]>;

export type ProcessName = keyof typeof PROCESS_SECTIONS;
export type SectionOf<P extends ProcessName> = (typeof EVERY_PROCESS)[number] | (typeof PROCESS_SECTIONS)[P][number];
