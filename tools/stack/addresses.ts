import { fixedPort, freePort, usualOrFreePort } from './ports';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A port of the stack or the service, by the variable that carries it. */
interface PortRule {
  readonly variable: string;
  readonly usual: number;
  readonly wantedBy: string;
  /** People type it, so it moves only by configuration. */
  readonly fixed: boolean;
}

const RULES = {
  api: { variable: 'AUTH_SERVICE_PORT', usual: 3001, wantedBy: 'the auth service', fixed: true },
  gateway: { variable: 'API_GATEWAY_PORT', usual: 3000, wantedBy: 'the gateway', fixed: true },
  grpc: { variable: 'GRPC_PORT', usual: 50_051, wantedBy: 'the gRPC server', fixed: true },
  temporalUi: { variable: 'TEMPORAL_UI_PORT', usual: 8233, wantedBy: 'the Temporal UI', fixed: true },
  codecServer: { variable: 'CODEC_SERVER_PORT', usual: 8888, wantedBy: 'the codec server', fixed: true },
  mailUi: { variable: 'MAIL_UI_PORT', usual: 1080, wantedBy: 'the mail catcher', fixed: true },
  queueBoard: { variable: 'QUEUE_BOARD_PORT', usual: 3003, wantedBy: 'the queue board', fixed: false },
  postgres: { variable: 'POSTGRES_PORT', usual: 5432, wantedBy: 'Postgres', fixed: false },
  valkey: { variable: 'REDIS_PORT', usual: 6379, wantedBy: 'Valkey', fixed: false },
  temporal: { variable: 'TEMPORAL_PORT', usual: 7233, wantedBy: 'Temporal', fixed: false },
  smtp: { variable: 'SMTP_PORT', usual: 1025, wantedBy: 'the mail catcher (SMTP)', fixed: false },
  workerMetrics: { variable: 'WORKER_METRICS_PORT', usual: 9464, wantedBy: "the worker's metrics", fixed: false },
  gatewayMetrics: { variable: 'GATEWAY_METRICS_PORT', usual: 9466, wantedBy: "the gateway's metrics", fixed: false },
  consumerMetrics: { variable: 'CONSUMER_METRICS_PORT', usual: 9465, wantedBy: "the consumer's metrics", fixed: false },
} as const satisfies Record<string, PortRule>;

export type PortName = keyof typeof RULES;
export type Ports = Readonly<Record<PortName, number>>;

/** The port that the environment asks for, else the usual one; of a part that runs elsewhere nothing is checked. */
export const configuredPort = (name: PortName, environment: Environment): number =>
  Number(environment[RULES[name].variable] ?? '') || RULES[name].usual;

/**
 * A port for each purpose.
 *
 * @param needed the ones that something of ours will listen on
 * @throws when one that people type is taken
 */
export const choosePorts = async (
  mode: 'usual' | 'free',
  needed: ReadonlySet<PortName>,
  environment: Environment,
): Promise<Ports> => {
  const choose = async (name: PortName): Promise<number> => {
    const port = configuredPort(name, environment);
    if (!needed.has(name)) return port;
    if (mode === 'free') return freePort();
    const { fixed, wantedBy, variable } = RULES[name];
    return fixed ? fixedPort(port, wantedBy, variable) : usualOrFreePort(port);
  };
  const ports: Partial<Record<PortName, number>> = {};
  for (const name of Object.keys(RULES) as PortName[]) ports[name] = await choose(name);
  return ports as Ports;
};
