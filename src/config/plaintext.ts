import type { PlaintextKind } from './tls.config';

type Values = Readonly<Record<string, string>>;

// eslint-disable-next-line security/detect-unsafe-regex -- three times at most
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** Whether what goes to this host never leaves the machine. */
const isLocal = (host: string): boolean => LOOPBACK.test(host);

interface Connection {
  readonly kind: PlaintextKind;
  readonly isEncrypted: boolean;
  readonly host: string;
  /** The variable that is named, and what to set. */
  readonly variable: string;
  readonly remedy: string;
}

const databaseConnection = ({ DATABASE_URL = '', DATABASE_TLS }: Values): Connection[] => {
  if (!URL.canParse(DATABASE_URL)) return [];
  const url = new URL(DATABASE_URL);
  const mode = url.searchParams.get('sslmode');
  return [
    {
      kind: 'database',
      isEncrypted: DATABASE_TLS === 'true' || (mode !== null && mode !== 'disable'),
      // `pg` prefers a parameter to the host.
      host: url.searchParams.get('host') ?? url.hostname,
      variable: 'DATABASE_TLS',
      remedy: 'true (or sslmode=verify-full in DATABASE_URL)',
    },
  ];
};

const connections = (values: Values): Connection[] => [
  {
    kind: 'http',
    isEncrypted: values['SERVER_TLS_CERTIFICATE'] !== undefined,
    host: values['HOST'] ?? 'localhost',
    variable: 'SERVER_TLS_CERTIFICATE',
    remedy: 'a certificate',
  },
  ...databaseConnection(values),
  {
    kind: 'redis',
    isEncrypted: values['REDIS_TLS'] === 'true',
    host: values['REDIS_HOST'] ?? 'localhost',
    variable: 'REDIS_TLS',
    remedy: 'true',
  },
  {
    kind: 'temporal',
    isEncrypted: values['TEMPORAL_TLS'] === 'true',
    host: (values['TEMPORAL_ADDRESS'] ?? 'localhost:7233').replace(/:\d+$/, ''),
    variable: 'TEMPORAL_TLS',
    remedy: 'true',
  },
  {
    kind: 'smtp',
    isEncrypted: values['SMTP_SECURE'] === 'true' || values['SMTP_REQUIRE_TLS'] === 'true',
    host: values['SMTP_HOST'] ?? 'localhost',
    variable: 'SMTP_REQUIRE_TLS',
    remedy: 'true',
  },
  ...upstreamConnections(values),
  ...collectorConnection(values),
];

const overHttp = (kind: PlaintextKind, variable: string, { protocol, hostname }: URL): Connection => ({
  ...{ kind, variable, host: hostname },
  isEncrypted: protocol === 'https:',
  remedy: 'https',
});

/** What the gateway sends to the auth service: passwords, tokens, and the secret by which it is known. */
const upstreamConnections = ({ AUTH_SERVICE_URLS = '' }: Values): Connection[] =>
  AUTH_SERVICE_URLS.split(',')
    .map((text) => text.trim())
    .filter((text) => URL.canParse(text))
    .map((text) => overHttp('upstream', 'AUTH_SERVICE_URLS', new URL(text)));

/** Traces: what is done when and how often, and what the headers hold. Jaeger is named where no collector is. */
const collectorConnection = (values: Values): Connection[] => {
  const names = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_JAEGER_ENDPOINT'];
  const variable = names.find((name) => values[name] !== undefined) ?? '';
  const text = values[variable] ?? '';
  return URL.canParse(text) ? [overHttp('otlp', variable, new URL(text))] : [];
};

/** What operators sign in to: their passwords and its cookie pass there. */
const codecProblems = ({ CODEC_SERVER_URL: text }: Values): string[] => {
  if (text === undefined || !URL.canParse(text)) return [];
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || isLocal(hostname) ? [] : ['CODEC_SERVER_URL: must be https in production'];
};

/** Connections of production that leave the machine in the clear, unless `PLAINTEXT_ALLOWED` names them. */
export const plaintextProblems = (values: Values): string[] => {
  const allowed = (values['PLAINTEXT_ALLOWED'] ?? '').split(',').map((kind) => kind.trim());
  const problems = connections(values)
    .filter(({ kind, isEncrypted, host }) => !isEncrypted && !isLocal(host) && !allowed.includes(kind))
    .map(
      ({ kind, variable, remedy }) =>
        `${variable}: must be ${remedy} in production, or PLAINTEXT_ALLOWED must name ${kind}, which something else encrypts`,
    );
  return [...problems, ...codecProblems(values)];
};
