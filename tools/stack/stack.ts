import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { choosePorts, type Environment, type PortName, type Ports } from './addresses';
import { createMail } from './mail';
import type { Part } from './part';
import { type OnStarted, startTogether, stopInReverse } from './parts';
import { type PidFile, takeOver } from './pid-file';
import { freePort } from './ports';
import { createPostgres, type PostgresPart } from './postgres';
import { loadSecrets } from './secrets';
import { createTemporal } from './temporal';
import { createValkey } from './valkey';

export type PartName = 'postgres' | 'valkey' | 'temporal' | 'mail';
const ALL_PARTS: readonly PartName[] = ['postgres', 'valkey', 'temporal', 'mail'];

export interface StackOptions {
  readonly dataDir: string;
  readonly logDir: string;
  /** `usual` for people; `free` for tests, several of which run at once. */
  readonly ports: 'usual' | 'free';
  /** All of them, if not told otherwise. */
  readonly parts?: readonly PartName[];
  /** Parts whose addresses are configured here are used instead of started; none are by default. */
  readonly environment?: Environment;
  /** Dynamic configuration of the Temporal server, as `name=value`. */
  readonly temporalSettings?: readonly string[] | undefined;
  /** Where the generated secrets are kept; in `dataDir` if not told otherwise. */
  readonly secretsFile?: string;
  /** Told when a part ends by itself. */
  readonly onCrash?: (part: Part, how: string) => void;
  readonly onStarted?: OnStarted;
}

export interface Stack {
  /** What the service's processes need: addresses, ports and secrets. */
  readonly env: Record<string, string>;
  /** The database as its owner, for migrations; the processes connect as a role that owns nothing. */
  readonly databaseOwnerUrl: string;
  readonly ports: Ports;
  /** Web page and JSON API (`/api/email`) of the mail catcher. */
  readonly mailUrl: string;
  readonly temporalUiUrl: string;
  readonly logDir: string;
  readonly pidFile: PidFile;
  /** Names of the processes that a killed supervisor had left behind. */
  readonly ended: readonly string[];
  readonly postgres: PostgresPart | undefined;
  readonly valkey: Part | undefined;
  readonly temporal: Part | undefined;
  readonly mail: Part | undefined;
  /** Stops every part, the last one first. */
  readonly stop: () => Promise<void>;
}

const CONFIGURED_BY: Readonly<Record<PartName, string>> = {
  postgres: 'DATABASE_URL',
  valkey: 'REDIS_HOST',
  temporal: 'TEMPORAL_ADDRESS',
  mail: 'SMTP_HOST',
};

const PORTS_OF: Readonly<Record<PartName, readonly PortName[]>> = {
  postgres: ['postgres'],
  valkey: ['valkey'],
  temporal: ['temporal', 'temporalUi'],
  mail: ['smtp', 'mailUi'],
};
const PORTS_OF_SERVICE: readonly PortName[] = [
  ...([
    'api',
    'gateway',
    'grpc',
    'codecServer',
    'workerMetrics',
    'consumerMetrics',
    'gatewayMetrics',
    'queueBoard',
  ] as const),
];

/** Of the auth service that runs beside the stack, as its gateway reaches it. */
const authServiceUrl = (environment: Environment, port: number): string => {
  const isSecure = [environment['SERVER_TLS_CERTIFICATE'], environment['SERVER_TLS_CERTIFICATE_FILE']].some(Boolean);
  return `${isSecure ? 'https://localhost' : 'http://127.0.0.1'}:${String(port)}`;
};

/** Starts what the service stands on, each part on loopback only, and waits until all of it answers. */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  const { environment = {}, onCrash } = options;
  const [dataDir, logDir] = [resolve(options.dataDir), resolve(options.logDir)];
  mkdirSync(dataDir, { recursive: true });
  const { pidFile, ended } = await takeOver(dataDir);
  const names = (options.parts ?? ALL_PARTS).filter((name) => !environment[CONFIGURED_BY[name]]);
  const needed = new Set([...names.flatMap((name) => PORTS_OF[name]), ...PORTS_OF_SERVICE]);
  const ports = await choosePorts(options.ports, needed, environment);
  const secrets = loadSecrets(options.secretsFile ?? join(dataDir, 'secrets.env'), environment);
  const namespace = environment['TEMPORAL_NAMESPACE'] ?? 'default';
  const innerUiPort = await freePort();

  const make = <T extends Part>(name: PartName, create: (common: PartCommon) => T): T | undefined => {
    if (!names.includes(name)) return undefined;
    const part: T = create({ dataDir, logDir, pidFile, onCrash: (how) => onCrash?.(part, how) });
    return part;
  };
  const postgres = make('postgres', (common) =>
    createPostgres({
      ...common,
      port: ports.postgres,
      password: secrets.postgresPassword,
      servicePassword: secrets.postgresServicePassword,
    }),
  );
  const valkey = make('valkey', (common) => createValkey({ ...common, port: ports.valkey }));
  const temporal = make('temporal', (common) =>
    createTemporal({
      ...common,
      namespace,
      port: ports.temporal,
      uiPort: ports.temporalUi,
      innerUiPort,
      codecServerPort: ports.codecServer,
      settings: options.temporalSettings,
    }),
  );
  const mail = make('mail', (common) => createMail({ ...common, smtpPort: ports.smtp, webPort: ports.mailUi }));
  const parts = [postgres, valkey, temporal, mail].filter((part) => part !== undefined);
  try {
    await startTogether(parts, options.onStarted);
  } catch (error) {
    pidFile.close();
    throw error;
  }

  const temporalUiUrl = `http://localhost:${String(ports.temporalUi)}`;
  return {
    env: {
      DATABASE_URL: postgres?.url ?? environment['DATABASE_URL'] ?? '',
      REDIS_HOST: valkey === undefined ? (environment['REDIS_HOST'] ?? '') : '127.0.0.1',
      REDIS_PORT: String(ports.valkey),
      TEMPORAL_ADDRESS:
        temporal === undefined ? (environment['TEMPORAL_ADDRESS'] ?? '') : `127.0.0.1:${String(ports.temporal)}`,
      TEMPORAL_NAMESPACE: namespace,
      SMTP_HOST: mail === undefined ? (environment['SMTP_HOST'] ?? '') : '127.0.0.1',
      SMTP_PORT: String(ports.smtp),
      AUTH_SERVICE_PORT: String(ports.api),
      API_GATEWAY_PORT: String(ports.gateway),
      GRPC_PORT: String(ports.grpc),
      GRPC_REFLECTION: environment['GRPC_REFLECTION'] ?? 'true',
      PUBLIC_URL: environment['PUBLIC_URL'] ?? `http://localhost:${String(ports.api)}`,
      WORKER_METRICS_PORT: String(ports.workerMetrics),
      CONSUMER_METRICS_PORT: String(ports.consumerMetrics),
      GATEWAY_METRICS_PORT: String(ports.gatewayMetrics),
      AUTH_SERVICE_URLS: environment['AUTH_SERVICE_URLS'] ?? authServiceUrl(environment, ports.api),
      CODEC_SERVER_PORT: String(ports.codecServer),
      CODEC_SERVER_ORIGINS:
        environment['CODEC_SERVER_ORIGINS'] ?? `${temporalUiUrl},http://127.0.0.1:${String(ports.temporalUi)}`,
      ...secrets.service,
    },
    databaseOwnerUrl: postgres?.ownerUrl ?? environment['MIGRATION_DATABASE_URL'] ?? environment['DATABASE_URL'] ?? '',
    ports,
    mailUrl: environment['MAIL_UI_URL'] ?? `http://localhost:${String(ports.mailUi)}`,
    temporalUiUrl,
    logDir,
    pidFile,
    ended,
    postgres,
    valkey,
    temporal,
    mail,
    stop: async () => {
      await stopInReverse(parts);
      pidFile.close();
    },
  };
};

/** What every part is told. */
interface PartCommon {
  readonly dataDir: string;
  readonly logDir: string;
  readonly pidFile: PidFile;
  readonly onCrash: (how: string) => void;
}
