import { Counter, Gauge, type Registry } from 'prom-client';

/** An upstream and its state, for the gauge. */
export interface UpstreamState {
  readonly service: string;
  readonly upstream: string;
  readonly state: 'up' | 'unhealthy' | 'open' | 'unreachable';
}

const STATES = ['up', 'unhealthy', 'open', 'unreachable'] as const;

/** What the gateway does. Labels are names of the route table and kinds, never paths or people. */
export const createGatewayMetrics = (registry: Registry, upstreams: () => readonly UpstreamState[]) => ({
  forwarded: new Counter({
    name: 'gateway_requests_total',
    help: 'Requests by service, upstream and the class of the answer; fault where none came, gone where the client left',
    labelNames: ['service', 'upstream', 'outcome'] as const,
    registers: [registry],
  }),
  repeated: new Counter({
    name: 'gateway_repetitions_total',
    help: 'Attempts beyond the first of a request',
    labelNames: ['service'] as const,
    registers: [registry],
  }),
  refusedTokens: new Counter({
    name: 'gateway_refused_tokens_total',
    help: 'Requests whose access token was missing or refused at the edge',
    registers: [registry],
  }),
  unchecked: new Counter({
    name: 'gateway_unchecked_tokens_total',
    help: 'Requests passed to the auth service unchecked because its keys could not be had',
    registers: [registry],
  }),
  limited: new Counter({
    name: 'gateway_limited_requests_total',
    help: 'Requests over a limit of the gateway by scope, what they were counted by, and mode',
    labelNames: ['scope', 'reason', 'mode'] as const,
    registers: [registry],
  }),
  reloads: new Counter({
    name: 'gateway_routes_reloads_total',
    help: 'Changes of GATEWAY_ROUTES_FILE by outcome',
    labelNames: ['outcome'] as const,
    registers: [registry],
  }),
  states: new Gauge({
    name: 'gateway_upstream_state',
    help: '1 for the state that an upstream is in',
    labelNames: ['service', 'upstream', 'state'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const { service, upstream, state } of upstreams())
        for (const name of STATES) this.set({ service, upstream, state: name }, name === state ? 1 : 0);
    },
  }),
});
export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;
