import { z } from 'zod';

import { choice, duration, httpUrl, integer, optionalText, origins, port, reloadable, text } from './fields';

export const appEnv = z.object({
  NODE_ENV: choice(['development', 'test', 'production'], 'development', 'Kind of environment'),
  HOST: text('127.0.0.1', 'Address that the HTTP servers listen on; 0.0.0.0 in a container'),
  AUTH_SERVICE_PORT: port(3001, 'HTTP port of the auth service'),
  PUBLIC_URL: httpUrl(
    'http://localhost:3001',
    'Base URL under which people reach the service; links in mails start with it',
  ),
  REQUEST_TIMEOUT: duration('15s', 'Longest time for one HTTP request, body included'),
  SHUTDOWN_TIMEOUT: duration('10s', 'How long requests, activities and jobs may take to finish after SIGTERM'),
  SHUTDOWN_DRAIN: duration(
    '0s',
    'After SIGTERM the api and the gateway go on accepting for so long, no longer ready and with Connection: close on every answer, so that whatever is in front of them moves away first',
    0,
  ),
  MAX_BODY_BYTES: integer(65_536, 1_024, 10_485_760, 'Largest request body, bytes'),
  CORS_ORIGINS: reloadable(origins('', 'Origins that browsers may call from; none by default')),
  TRUSTED_PROXY_HOPS: integer(
    0,
    0,
    10,
    'Proxies in front that append to X-Forwarded-For; 0 ignores the header and takes the address of the connection',
  ),
  CONFIG_FILE: optionalText(
    'YAML file with more of these variables by name; what may change while running is taken over when the file changes, and environment variables win',
  ),
});

/** The HTTP service itself: where it listens, and its limits. Times are milliseconds. */
export const toAppConfig = (env: z.output<typeof appEnv>) => ({
  environment: env.NODE_ENV,
  host: env.HOST,
  port: env.AUTH_SERVICE_PORT,
  publicUrl: env.PUBLIC_URL.replace(/\/+$/, ''),
  requestTimeoutMs: env.REQUEST_TIMEOUT,
  shutdownTimeoutMs: env.SHUTDOWN_TIMEOUT,
  drainMs: env.SHUTDOWN_DRAIN,
  maxBodyBytes: env.MAX_BODY_BYTES,
  corsOrigins: env.CORS_ORIGINS,
  trustedProxyHops: env.TRUSTED_PROXY_HOPS,
});
export type AppConfig = ReturnType<typeof toAppConfig>;
