import { setTimeout as sleep } from 'node:timers/promises';

import { type BenchContext, CALLERS, repeat } from './context';
import type { EmptyClientHelper } from './empty-client.child';
import type { EmptyWorkerHelper } from './empty-worker.child';
import { startHelper } from './helper';
import { cpuSeconds } from './process-usage';
import type { BenchService } from './service';
import { type LoadResult, type LoadSummary, median, summarise } from './statistics';

const DRAIN_POLL_MS = 100;
const DRAIN_TIMEOUT_MS = 180_000;

type Progress = 'stored' | 'codesMailed' | 'welcomed';

/** Waits until the service has come so far. @returns how long that took, seconds */
const drain = async ({ load }: BenchContext, what: Progress, wanted: number): Promise<number> => {
  const begin = performance.now();
  for (;;) {
    const progress = await load.call('progress', undefined);
    const elapsed = performance.now() - begin;
    if (progress[what] >= wanted) return elapsed / 1_000;
    if (elapsed > DRAIN_TIMEOUT_MS) {
      throw new Error(`After ${DRAIN_TIMEOUT_MS / 1_000} s only ${progress[what]} of ${wanted} were ${what}`);
    }
    await sleep(DRAIN_POLL_MS);
  }
};

/** What one round of whole processes did and took. */
interface ProcessRound {
  readonly load: LoadResult;
  /** Processes completed to the last step, a second. */
  readonly rate: number;
  /** CPU seconds of each, of all processes that serve it. */
  readonly cpu: number;
}

export interface ProcessFigures {
  readonly rate: number;
  /** CPU seconds of one. */
  readonly cpu: number;
  readonly load: LoadSummary;
}

const toFigures = (rounds: readonly ProcessRound[]): ProcessFigures => ({
  rate: median(rounds.map(({ rate }) => rate)),
  cpu: median(rounds.map(({ cpu }) => cpu)),
  load: summarise(rounds.map(({ load }) => load)),
});

const servicePids = ({ stack, processes }: BenchService): (number | undefined)[] => [
  ...[processes.api, processes.worker, processes.consumer].map((part) => part.pid),
  ...[stack.postgres, stack.valkey, stack.temporal].map((part) => part?.pid),
];

const wholeRound = async (context: BenchContext, seconds: number): Promise<ProcessRound> => {
  const { load, service } = context;
  const before = await load.call('progress', undefined);
  const cpuBefore = cpuSeconds(...servicePids(service));
  const begin = performance.now();
  const result = await load.call('wholeRegistration', { callers: CALLERS.registration, seconds });
  await drain(context, 'welcomed', before.welcomed + result.succeeded);
  const elapsed = (performance.now() - begin) / 1_000;
  const cpu = (cpuSeconds(...servicePids(service)) - cpuBefore) / result.succeeded;
  return { load: result, rate: result.succeeded / elapsed, cpu };
};

/** Makes accounts for what needs some, and warms everything up. */
export const seedUsers = async (context: BenchContext): Promise<void> => {
  const { load } = await wholeRound(context, 2);
  if (load.succeeded < CALLERS.refresh) {
    throw new Error(`Only ${load.succeeded} registrations succeeded: ${JSON.stringify(load.failures)}`);
  }
};

export interface WholeRegistrationFigures {
  readonly whole: ProcessFigures;
  readonly empty: ProcessFigures;
}

/** Whole registrations in turn with empty workflows on the same Temporal server. */
export const measureWholeRegistrations = async (context: BenchContext): Promise<WholeRegistrationFigures> => {
  const { service, plan } = context;
  const [worker, client] = [
    startHelper<EmptyWorkerHelper>('empty-worker'),
    startHelper<EmptyClientHelper>('empty-client'),
  ];
  const { address, namespace } = service.config.temporal;
  const queue = { address, namespace, taskQueue: 'bench' };
  const emptyRound = async (seconds: number): Promise<ProcessRound> => {
    const pids = [worker.pid, client.pid, service.stack.temporal?.pid];
    const cpuBefore = cpuSeconds(...pids);
    const load = await client.call('run', { ...queue, callers: CALLERS.registration, seconds });
    const cpu = (cpuSeconds(...pids) - cpuBefore) / load.succeeded;
    return { load, rate: load.succeeded / load.seconds, cpu };
  };
  try {
    await worker.call('work', queue);
    await emptyRound(1.5);
    const [whole, empty]: [ProcessRound[], ProcessRound[]] = [[], []];
    await repeat(plan.registrationRounds, async () => {
      empty.push(await emptyRound(plan.emptyWorkflow));
      whole.push(await wholeRound(context, plan.wholeRegistration));
    });
    return { whole: toFigures(whole), empty: toFigures(empty) };
  } finally {
    await Promise.all([worker.stop(), client.stop()]);
  }
};

export interface AcceptedFigures {
  readonly load: LoadSummary;
  /** From the last answer until every code has been mailed, seconds. */
  readonly drainSeconds: number;
  /** Codes mailed a second meanwhile. */
  readonly drainRate: number;
}

/** Registrations accepted as fast as the API can, and how long the rest of the service needs to catch up. */
export const measureAccepted = async (context: BenchContext): Promise<AcceptedFigures> => {
  const { load, plan } = context;
  const rounds = await repeat(plan.registrationRounds, async () => {
    const before = await load.call('progress', undefined);
    const result = await load.call('register', { callers: CALLERS.registration, seconds: plan.accepted });
    const atEnd = await load.call('progress', undefined);
    const wanted = before.codesMailed + result.succeeded;
    const drainSeconds = await drain(context, 'codesMailed', wanted);
    return { result, drainSeconds, drainRate: (wanted - atEnd.codesMailed) / drainSeconds };
  });
  return {
    load: summarise(rounds.map(({ result }) => result)),
    drainSeconds: median(rounds.map(({ drainSeconds }) => drainSeconds)),
    drainRate: median(rounds.map(({ drainRate }) => drainRate)),
  };
};
