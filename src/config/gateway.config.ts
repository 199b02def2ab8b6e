import { z } from 'zod';

import {
  describe,
  duration,
  integer,
  optionalSecretKeys,
  optionalText,
  origins,
  port,
  reloadable,
  split,
} from './fields';
import { limitPolicy } from './limit-policy';
import { clientTlsFields, toClientTls } from './tls.config';

/** A part of the system that the front page shows. */
export interface FrontPagePart {
  readonly name: string;
  readonly url: string;
}

const toParts = (value: string, context: z.RefinementCtx): FrontPagePart[] =>
  split(value).map((entry) => {
    const [, name, url] = /^([^=,]{1,40})=(https?:\/\/\S+)$/.exec(entry) ?? [];
    if (name !== undefined && url !== undefined && URL.canParse(url)) return { name, url };
    context.addIssue({ code: 'custom', message: 'must be <name>=<URL>[,<name>=<URL>...]' });
    return z.NEVER;
  });

export const gatewayTrustEnv = z.object({
  GATEWAY_SECRET: reloadable(
    optionalSecretKeys(
      'Shared by the gateway and the auth service, which believes X-Forwarded-For of nobody else; required by the gateway',
    ),
  ),
});

/** By what the auth service knows the gateway. */
export const toGatewayTrustConfig = (env: z.output<typeof gatewayTrustEnv>) => ({ secrets: env.GATEWAY_SECRET });
export type GatewayTrustConfig = ReturnType<typeof toGatewayTrustConfig>;

export const gatewayEnv = z.object({
  API_GATEWAY_PORT: port(3000, 'HTTP port of the gateway'),
  GATEWAY_METRICS_PORT: port(9466, 'Port of the gateway for /healthz, /readyz and /metrics'),
  GATEWAY_ROUTES_FILE: optionalText(
    'YAML file with the routes of the gateway (docs/gateway.md), taken over when it changes; without it everything public of the auth service is routed to AUTH_SERVICE_URLS',
  ),
  AUTH_SERVICE_URLS: origins(
    'http://localhost:3001',
    'Where the gateway finds the auth service: origins such as http://10.0.0.7:3001',
  ),
  GATEWAY_TRUSTED_PROXY_HOPS: integer(
    0,
    0,
    10,
    'Proxies in front of the gateway that append to X-Forwarded-For; 0 ignores the header and takes the address of the connection',
  ),
  GATEWAY_RATE_LIMIT: reloadable(
    limitPolicy('address=6000,range=60000,window=1m', 'Requests of one client address at the gateway, against floods'),
  ),
  GATEWAY_RATE_LIMIT_OVERALL: reloadable(
    integer(600_000, 1, 999_999_999, 'Requests of everybody at all gateways together, a minute; more get 503'),
  ),
  GATEWAY_MAX_CONNECTIONS: integer(10_000, 1, 1_000_000, 'Connections of clients at once; more are closed'),
  GATEWAY_SLOW_READER_TIMEOUT: duration('30s', 'A client that takes nothing of its answer for so long is cut off'),
  FRONT_PAGE_PARTS: describe(z.string().transform(toParts).prefault(''), {
    description: 'Further parts that the front page (`/`, not in production) shows and asks whether they answer',
    format: 'comma-separated <name>=<URL>',
  }),
  ...clientTlsFields('UPSTREAM', 'the services behind the gateway'),
});

/** The gateway. Times are milliseconds. */
export const toGatewayConfig = (env: z.output<typeof gatewayEnv>) => ({
  port: env.API_GATEWAY_PORT,
  metricsPort: env.GATEWAY_METRICS_PORT,
  routesFile: env.GATEWAY_ROUTES_FILE,
  authServiceUrls: env.AUTH_SERVICE_URLS,
  trustedProxyHops: env.GATEWAY_TRUSTED_PROXY_HOPS,
  limit: env.GATEWAY_RATE_LIMIT,
  overallPerMinute: env.GATEWAY_RATE_LIMIT_OVERALL,
  maxConnections: env.GATEWAY_MAX_CONNECTIONS,
  slowReaderTimeoutMs: env.GATEWAY_SLOW_READER_TIMEOUT,
  frontPageParts: env.FRONT_PAGE_PARTS,
  upstreamTls: toClientTls('UPSTREAM', env),
});
export type GatewayConfig = ReturnType<typeof toGatewayConfig>;

/** The auth service may do without a gateway; a gateway that it does not know is of no use. */
export const gatewayProblems = (values: Readonly<Record<string, string>>, unreadable: ReadonlySet<string>): string[] =>
  values['GATEWAY_SECRET'] === undefined && !unreadable.has('GATEWAY_SECRET')
    ? ['GATEWAY_SECRET: is required and not set']
    : [];
