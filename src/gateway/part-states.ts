import type { FrontPagePart } from '../config/gateway.config';
import type { Readiness } from '../health/readiness';

import type { Routes } from './table';

/** How a part of the system does. */
export interface PartState {
  readonly name: string;
  readonly state: 'up' | 'degraded' | 'down';
  /** Where people find it, if they do. */
  readonly url?: string;
}

interface Dependencies {
  readonly readiness: Readiness;
  readonly routes: () => Routes;
  /** Further parts, each asked at its address. */
  readonly parts: readonly FrontPagePart[];
}

const TIMEOUT_MS = 2_000;
/** As the statuses of `/readyz` are shown. */
const STATES: Readonly<Record<string, PartState['state']>> = { ready: 'up', degraded: 'degraded' };

interface Report {
  readonly status?: string;
  readonly checks?: Readonly<Record<string, { readonly status?: string }>>;
}

/** What the health of a service of this project tells; nothing of others. */
const reportIn = (body: string): Report => {
  try {
    const report: unknown = JSON.parse(body);
    return typeof report === 'object' && report !== null ? report : {};
  } catch {
    return {};
  }
};

/** How a service does, and what it stands on. */
const statesOf = (name: string, isUp: boolean, { status = '', checks = {} }: Report): PartState[] => [
  { name, state: isUp ? (STATES[status] ?? 'up') : 'down' },
  ...Object.entries(checks).map(([part, { status: state }]) => ({
    name: `${name}: ${part}`,
    state: state === 'up' ? ('up' as const) : ('down' as const),
  })),
];

const ask = async ({ name, url }: FrontPagePart): Promise<PartState> => {
  try {
    const { ok, body } = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    await body?.cancel();
    return { name, url, state: ok ? 'up' : 'down' };
  } catch {
    return { name, url, state: 'down' };
  }
};

/** How every part does now: the gateway, the services behind it with what they stand on, and what was named besides. */
export const createPartStates = ({ readiness, routes, parts }: Dependencies) => {
  const ofService = async ({ name, settings, get }: Routes['services'][number]): Promise<PartState[]> => {
    try {
      const { status, body } = await get(settings.health);
      return statesOf(name, status >= 200 && status < 300, reportIn(body));
    } catch {
      return [{ name, state: 'down' }];
    }
  };
  return async (): Promise<PartState[]> => {
    const { status } = await readiness.check();
    const services = await Promise.all(routes().services.map(ofService));
    return [
      { name: 'gateway', state: STATES[status] ?? 'down' },
      ...services.flat(),
      ...(await Promise.all(parts.map(ask))),
    ];
  };
};
