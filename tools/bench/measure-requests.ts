import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '../stack/ports';

import { type BenchContext, CALLERS, repeat } from './context';
import type { EmptyRouteHelper } from './empty-route.child';
import { startHelper } from './helper';
import { residentBytes } from './process-usage';
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
