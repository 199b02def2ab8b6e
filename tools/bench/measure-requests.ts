import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '../stack/ports';

import { type BenchContext, CALLERS, repeat } from './context';
import type { EmptyRouteHelper } from './empty-route.child';
import { startHelper } from './helper';
import { cpuSeconds, residentBytes } from './process-usage';
import { type LoadResult, type LoadSummary, median, summarise } from './statistics';

/** Until the garbage of the start is collected. */
const SETTLE_MS = 3_000;

export interface ApiProcessFigures {
  readonly readyMs: number;
  /** Bytes. */
  readonly idleResident: number;
}

/** How long the api process takes until it is ready, and what memory it holds when nobody calls. */
export const measureApiProcess = async ({ service, plan }: BenchContext): Promise<ApiProcessFigures> => {
  const { api } = service.processes;
  const starts = await repeat(plan.starts, async () => {
    await api.stop();
    const begin = performance.now();
    await api.start();
    return performance.now() - begin;
  });
  await sleep(SETTLE_MS);
  return { readyMs: median(starts), idleResident: residentBytes(api.pid) };
};

export interface FirstAnswerFigures {
  readonly oneCaller: LoadSummary;
  readonly openLoop: LoadSummary;
}

/** The first answer to a registration, hash included. */
export const measureFirstAnswer = async ({ load, plan }: BenchContext): Promise<FirstAnswerFigures> => ({
  oneCaller: summarise(
    await repeat(plan.rounds, () => load.call('register', { callers: 1, seconds: plan.firstAnswer })),
  ),
  openLoop: summarise([await load.call('registerOpen', { perSecond: 20, seconds: plan.openLoop })]),
});

export const measureLogins = async ({ load, plan }: BenchContext): Promise<LoadSummary> =>
  summarise(await repeat(plan.rounds, () => load.call('login', { callers: CALLERS.login, seconds: plan.login })));

export const measureRefreshes = async ({ load, plan }: BenchContext): Promise<LoadSummary> =>
  summarise(await repeat(plan.rounds, () => load.call('refresh', { callers: CALLERS.refresh, seconds: plan.refresh })));

export interface GatewayFigures {
  readonly callers: number;
  readonly direct: LoadSummary;
  readonly through: LoadSummary;
}

/** `GET /v1/users/me` in turn straight at the API and through the gateway, which checks the token as well: by one caller, and by many. */
export const measureGateway = async ({ service, load, plan }: BenchContext): Promise<GatewayFigures[]> => {
  await service.processes.gateway.start();
  await load.call('meThroughGateway', { callers: CALLERS.me, seconds: plan.gateway });
  const measure = async (callers: number): Promise<GatewayFigures> => {
    const loop = { callers, seconds: plan.gateway };
    const [direct, through]: [LoadResult[], LoadResult[]] = [[], []];
    await repeat(plan.rounds, async () => {
      direct.push(await load.call('me', loop));
      through.push(await load.call('meThroughGateway', loop));
    });
    return { callers, direct: summarise(direct), through: summarise(through) };
  };
  try {
    return [await measure(1), await measure(CALLERS.me)];
  } finally {
    await service.processes.gateway.stop();
  }
};

export interface MeFigures {
  readonly me: LoadSummary;
  readonly emptyRoute: LoadSummary;
}

/** `GET /v1/users/me` in turn with an empty Koa route in a process of its own. */
export const measureMe = async ({ load, plan }: BenchContext): Promise<MeFigures> => {
  const helper = startHelper<EmptyRouteHelper>('empty-route');
  try {
    const port = await freePort();
    await helper.call('listen', { port });
    const loop = { callers: CALLERS.me, seconds: plan.me };
    const [me, emptyRoute]: [LoadResult[], LoadResult[]] = [[], []];
    await repeat(plan.rounds, async () => {
      me.push(await load.call('me', loop));
      emptyRoute.push(await load.call('emptyRoute', { ...loop, port }));
    });
    return { me: summarise(me), emptyRoute: summarise(emptyRoute) };
  } finally {
    await helper.stop();
  }
};

export interface ValidateTokenFigures {
  readonly load: LoadSummary;
  /** CPU seconds of the api process for each call: its inverse is what one core can do. */
  readonly cpu: number;
}

/** `ValidateToken` as other services ask it, which looks into the database every time. */
export const measureValidateToken = async ({ service, load, plan }: BenchContext): Promise<ValidateTokenFigures> => {
  const { pid } = service.processes.api;
  const before = cpuSeconds(pid);
  const rounds = await repeat(plan.rounds, () =>
    load.call('validateToken', { callers: CALLERS.validateToken, seconds: plan.validateToken }),
  );
  const summary = summarise(rounds);
  return { load: summary, cpu: (cpuSeconds(pid) - before) / summary.succeeded };
};
