import type { Indicator } from './indicators';

export interface CheckResult {
  readonly status: 'up' | 'down';
  readonly durationMs: number;
  /** A code such as `ECONNREFUSED`, never the text of an error: that may name hosts and users. */
  readonly error?: string;
}

export interface ReadinessReport {
  /** `degraded`: something is down that the process can do without. */
  readonly status: 'ready' | 'degraded' | 'not_ready' | 'shutting_down';
  readonly checks: Readonly<Record<string, CheckResult>>;
}

export interface Readiness {
  /** The state now, or at most `cacheMs` ago. Never rejects. */
  readonly check: () => Promise<ReadinessReport>;
  /** From now on the process is not ready: load balancers stop sending requests. */
  readonly beginShutdown: () => void;
}

export interface ReadinessOptions {
  /** Longest time for one check, milliseconds. */
  readonly timeoutMs: number;
  /** How long a result is good for, milliseconds: many probes make one check. */
  readonly cacheMs?: number;
  /** Names of the checks whose failure leaves the process ready: logins, for instance, go on without Redis. */
  readonly optional?: readonly string[] | 'all';
}

const SAFE_CODE = /^[A-Za-z0-9_]{1,40}$/;

const errorCode = (error: unknown): string => {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && SAFE_CODE.test(code) ? code : 'error';
};

const runCheck = async (indicator: Indicator, timeoutMs: number): Promise<CheckResult> => {
  const start = performance.now();
  const durationMs = () => Math.round(performance.now() - start);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new Error('the check took too long'), { code: 'timeout' }));
    }, timeoutMs);
  });
  try {
    await Promise.race([indicator(), timeout]);
    return { status: 'up', durationMs: durationMs() };
  } catch (error) {
    return { status: 'down', durationMs: durationMs(), error: errorCode(error) };
  } finally {
    clearTimeout(timer);
  }
};

export type Indicators = Readonly<Record<string, Indicator>>;

/**
 * Tells whether the process can do its work: runs every check at once, each within its time.
 *
 * @param indicators asked for at each check where they may change
 */
export const createReadiness = (
  indicators: Indicators | (() => Indicators),
  { timeoutMs, cacheMs = 1_000, optional = [] }: ReadinessOptions,
): Readiness => {
  let shuttingDown = false;
  let current: { readonly report: Promise<ReadinessReport>; readonly expiresAt: number } | undefined;

  const run = async (): Promise<ReadinessReport> => {
    const entries = Object.entries(typeof indicators === 'function' ? indicators() : indicators);
    const results = await Promise.all(
      entries.map(async ([name, indicator]) => [name, await runCheck(indicator, timeoutMs)] as const),
    );
    const down = results.filter(([, { status }]) => status === 'down').map(([name]) => name);
    const isOptional = (name: string): boolean => optional === 'all' || optional.includes(name);
    const status = down.length === 0 ? 'ready' : down.every(isOptional) ? 'degraded' : 'not_ready';
    return { status, checks: Object.fromEntries(results) };
  };

  return {
    check: () => {
      // A shutdown is told at once, however long a check would take.
      if (shuttingDown) return Promise.resolve({ status: 'shutting_down', checks: {} });
      if (current === undefined || performance.now() > current.expiresAt) {
        const started = { report: run(), expiresAt: Infinity };
        current = started;
        // While it runs, everyone waits for this one.
        started.report.finally(() => (started.expiresAt = performance.now() + cacheMs)).catch(() => undefined);
      }
      return current.report;
    },
    beginShutdown: () => {
      shuttingDown = true;
    },
  };
};
