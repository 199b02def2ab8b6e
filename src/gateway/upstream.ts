import { circuitBreaker, type CircuitBreakerPolicy, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { buildConnector, type Dispatcher, Pool } from 'undici';

import type { ClientTls } from '../config/tls.config';

import { UpstreamFault } from './fault';
import { createOutcomes, type Outcomes } from './outcomes';
import { traceHeaders } from './trace';

/** Failures in a row after which an upstream gets nothing for a while. */
const BREAK_AFTER = 5;
/** Then one request tries whether it works again, milliseconds. */
const HALF_OPEN_AFTER_MS = 2_000;
/** Between two probes of an upstream that cannot be reached, milliseconds. */
const PROBE_DOWN_MS = 200;
const PROBE_TIMEOUT_MS = 2_000;
/** Below the 65 s that servers of this project keep idle connections; servers that say another time are believed. */
const KEEP_ALIVE_MS = 30_000;
/** Longest head of an answer, bytes. */
const MAX_HEADER_BYTES = 32_768;

export interface UpstreamOptions {
  readonly url: string;
  readonly health: string;
  readonly healthIntervalMs: number;
  readonly connectTimeoutMs: number;
  readonly maxConcurrent: number;
  readonly tls: ClientTls;
}

/** One server behind the gateway: its connections, and what is known of its health. */
export interface Upstream {
  readonly url: string;
  /** Where it listens. */
  readonly server: { readonly address: string; readonly port: number };
  readonly outcomes: Outcomes;
  /** Whether it may be sent a request: it can be reached, its circuit is not open, and it has not too many already. */
  readonly isUsable: () => boolean;
  readonly isFull: () => boolean;
  /** Whether it calls itself ready. */
  readonly isHealthy: () => boolean;
  /** Runs one attempt inside the circuit breaker. @throws {UpstreamFault} */
  readonly attempt: (work: (dispatcher: Dispatcher) => Promise<void>) => Promise<void>;
  /** A request of the gateway's own, small and answered at once. @returns its status and text */
  readonly get: (path: string) => Promise<OwnAnswer>;
  /** Counts a request for as long as it runs. @returns to be called once at its end */
  readonly begin: () => () => void;
  readonly state: () => 'up' | 'unhealthy' | 'open' | 'unreachable';
  /** Waits for what runs. */
  readonly close: () => Promise<void>;
}

export interface OwnAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const countsAgainstIt = (error: Error): boolean => error instanceof UpstreamFault && error.kind !== 'unreachable';

const createBreaker = (): { readonly policy: CircuitBreakerPolicy; readonly isOpen: () => boolean } => {
  const policy = circuitBreaker(handleWhen(countsAgainstIt), {
    halfOpenAfter: HALF_OPEN_AFTER_MS,
    breaker: new ConsecutiveBreaker(BREAK_AFTER),
  });
  let openedAt = 0;
  // By the clock that the policy goes by, not before it: what is not open to us must not be open to it.
  policy.onBreak(() => {
    openedAt = Date.now();
  });
  const isOpen = (): boolean =>
    policy.state === CircuitState.HalfOpen ||
    (policy.state === CircuitState.Open && Date.now() - openedAt < HALF_OPEN_AFTER_MS);
  return { policy, isOpen };
};

/**
 * The pool, and what sends through it. Left alone undici takes the name for TLS from the `Host` of each request: its client would say
 * whom the certificate must name, and each other name would be a new connection.
 */
const createPool = (
  { url, connectTimeoutMs, tls }: UpstreamOptions,
  servername: string,
): { pool: Pool; dispatcher: Dispatcher } => {
  // It knows the name that is configured, else the host of the URL.
  const connect = buildConnector({ timeout: connectTimeoutMs, ...tls });
  const pool = new Pool(url, {
    connections: null,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Each request brings its own times.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (options, done) => {
      connect({ ...options, servername: '' }, done);
    },
  });
  const dispatcher = pool.compose(
    (dispatch) => (options, handler) => dispatch({ ...options, servername } as typeof options, handler),
  );
  return { pool, dispatcher };
};

/** A request whose answer is read as a whole. */
const createGet =
  (dispatcher: Dispatcher): Upstream['get'] =>
  async (path) => {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    // Nobody's request, so not to be recorded.
    const headers = traceHeaders(undefined, undefined);
    const answer = await dispatcher.request({ method: 'GET', path, headers, signal });
    return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
  };

interface Health {
  reachable: boolean;
  healthy: boolean;
}

/** A probe does not reject. */
const onNothing = (): void => undefined;

/** Asks again and again whether the upstream is there and ready. @returns stops it */
const startProbing = (
  get: Upstream['get'],
  health: Health,
  { health: path, healthIntervalMs }: UpstreamOptions,
): (() => void) => {
  let probing = false;
  let lastProbe = -Infinity;
  const probe = async (): Promise<void> => {
    try {
      const { status } = await get(path);
      Object.assign(health, { reachable: true, healthy: status >= 200 && status < 300 });
    } catch {
      health.healthy = false;
    }
  };
  const look = (): void => {
    const now = performance.now();
    // One that cannot be reached is asked at every look.
    if (probing || (health.reachable && now - lastProbe < healthIntervalMs)) return;
    [probing, lastProbe] = [true, now];
    probe().then(() => (probing = false), onNothing);
  };
  look();
  const timer = setInterval(look, Math.min(PROBE_DOWN_MS, healthIntervalMs)).unref();
  return () => {
    clearInterval(timer);
  };
};

const serverOf = (url: string): Upstream['server'] => {
  const { hostname, port, protocol } = new URL(url);
  return { address: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
};

export const createUpstream = (options: UpstreamOptions): Upstream => {
  const server = serverOf(options.url);
  const { pool, dispatcher } = createPool(options, server.address);
  const get = createGet(dispatcher);
  const breaker = createBreaker();
  const health: Health = { reachable: true, healthy: true };
  const stopProbing = startProbing(get, health, options);
  let running = 0;

  return {
    url: options.url,
    server,
    outcomes: createOutcomes(),
    isUsable: () => health.reachable && !breaker.isOpen() && running < options.maxConcurrent,
    isFull: () => running >= options.maxConcurrent,
    isHealthy: () => health.healthy,
    get,
    attempt: (work) =>
      breaker.policy.execute(async () => {
        try {
          await work(dispatcher);
        } catch (error) {
          if (error instanceof UpstreamFault && error.kind === 'unreachable') health.reachable = false;
          throw error;
        }
      }),
    begin: () => {
      running += 1;
      return () => (running -= 1);
    },
    state: () => {
      if (!health.reachable) return 'unreachable';
      if (breaker.isOpen()) return 'open';
      return health.healthy ? 'up' : 'unhealthy';
    },
    close: async () => {
      stopProbing();
      await pool.close();
    },
  };
};
