import { z } from 'zod';

import { optionalText, reloadable, subset } from './fields';
import { certificates, fitsTogether, privateKey } from './pem';

/** Older versions are deprecated (RFC 8996). */
const MIN_VERSION = 'TLSv1.2';
/** Forward secrecy and authenticated encryption only (RFC 9325, 4.2); the first three are those of TLS 1.3. */
const CIPHERS = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  ...['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
].join(':');

export const PLAINTEXT_KINDS = ['http', 'database', 'redis', 'temporal', 'smtp', 'upstream', 'otlp'] as const;
export type PlaintextKind = (typeof PLAINTEXT_KINDS)[number];

/** Of every server that a process opens, whatever it speaks. */
export const serverTlsEnv = z.object({
  SERVER_TLS_CERTIFICATE: reloadable(
    certificates('Certificate of the HTTP servers and those above it, except the root; with it they speak TLS only'),
  ),
  SERVER_TLS_KEY: reloadable(privateKey('Private key of that certificate')),
  SERVER_TLS_CLIENT_CA: reloadable(
    certificates('Authorities of clients: who shows no certificate of theirs is refused by the API (mutual TLS)'),
  ),
  PLAINTEXT_ALLOWED: subset(
    PLAINTEXT_KINDS,
    '',
    'Connections that may do without TLS in production although they leave the machine, because something else encrypts them (a proxy or a service mesh)',
  ),
});

/** What `tls.createServer` is told; all texts are PEM. */
export interface ServerTls {
  readonly minVersion: 'TLSv1.2';
  readonly ciphers: string;
  readonly cert: string;
  readonly key: string;
  /** Where it is set, clients must show a certificate of these authorities. */
  readonly clientCa?: string;
}

/** The same for clients that cannot have a certificate: browsers, probes, scrapers of metrics. */
export const forAnybody = (tls: ServerTls | undefined): ServerTls | undefined => {
  if (tls === undefined) return undefined;
  const { clientCa: _, ...rest } = tls;
  return rest;
};

/** What `tls.connect` is told; all texts are PEM. Nothing here can accept a certificate that is not valid. */
export interface ClientTls {
  readonly minVersion: 'TLSv1.2';
  readonly rejectUnauthorized: true;
  /** Those that the runtime knows when not set. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the certificate must have; the host when not set. */
  readonly servername?: string;
}

/** Of the servers of this process; undefined: they speak plaintext. */
export const toServerTls = (env: z.output<typeof serverTlsEnv>): ServerTls | undefined => {
  const { SERVER_TLS_CERTIFICATE: cert, SERVER_TLS_KEY: key, SERVER_TLS_CLIENT_CA: clientCa } = env;
  if (cert === undefined || key === undefined) return undefined;
  return { minVersion: MIN_VERSION, ciphers: CIPHERS, cert, key, ...(clientCa !== undefined && { clientCa }) };
};

type ClientTlsShape<P extends string> = Record<`${P}_TLS_${'CA' | 'CERTIFICATE'}`, ReturnType<typeof certificates>> &
  Record<`${P}_TLS_KEY`, ReturnType<typeof privateKey>> &
  Record<`${P}_TLS_SERVER_NAME`, ReturnType<typeof optionalText>>;

/** The variables of one client, by the prefix of their names. @param who what it connects to */
export const clientTlsFields = <P extends string>(prefix: P, who: string) =>
  ({
    [`${prefix}_TLS_CA`]: certificates(`Authorities that may vouch for ${who}; those of the runtime when not set`),
    [`${prefix}_TLS_CERTIFICATE`]: certificates(`Certificate that is shown to ${who} (mutual TLS)`),
    [`${prefix}_TLS_KEY`]: privateKey('Private key of that certificate'),
    [`${prefix}_TLS_SERVER_NAME`]: optionalText(
      `Name that the certificate of ${who} must have; the one that is connected to when not set`,
    ),
  }) as ClientTlsShape<P>;

type ClientTlsValues = Readonly<Record<string, unknown>>;

/** Reads what {@link clientTlsFields} declared. */
export const toClientTls = (prefix: string, env: ClientTlsValues): ClientTls => {
  const options = {
    ca: env[`${prefix}_TLS_CA`],
    cert: env[`${prefix}_TLS_CERTIFICATE`],
    key: env[`${prefix}_TLS_KEY`],
    servername: env[`${prefix}_TLS_SERVER_NAME`],
  };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { minVersion: MIN_VERSION, rejectUnauthorized: true, ...(given as Partial<ClientTls>) };
};

type Values = Readonly<Record<string, string>>;

const PAIRS = ['SERVER', 'DATABASE', 'REDIS', 'TEMPORAL', 'SMTP', 'UPSTREAM'].map((prefix) => ({
  certificate: `${prefix}_TLS_CERTIFICATE`,
  key: `${prefix}_TLS_KEY`,
}));

/** A certificate without its key, or with another one's. */
const pairProblems = (values: Values, unreadable: ReadonlySet<string>): string[] =>
  PAIRS.flatMap(({ certificate, key }) => {
    const [cert, keyText] = [values[certificate], values[key]];
    if (unreadable.has(certificate) || unreadable.has(key) || (cert === undefined && keyText === undefined)) return [];
    if (cert === undefined) return [`${certificate}: is required with ${key}`];
    if (keyText === undefined) return [`${key}: is required with ${certificate}`];
    try {
      const lines = [cert, keyText].map((text) => text.replaceAll('\\n', '\n')) as [string, string];
      return fitsTogether(...lines) ? [] : [`${key}: is not the key of ${certificate}`];
    } catch {
      // One of them is malformed, which its own field says.
      return [];
    }
  });

/** What is wrong with the TLS variables taken together. */
export const tlsProblems = (values: Values, unreadable: ReadonlySet<string>): string[] => [
  ...pairProblems(values, unreadable),
  ...(values['SERVER_TLS_CLIENT_CA'] !== undefined && values['SERVER_TLS_CERTIFICATE'] === undefined
    ? ['SERVER_TLS_CLIENT_CA: needs SERVER_TLS_CERTIFICATE']
    : []),
];
