import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';

import type { ParsedLimitPolicy } from './limit-policy';
import { limitPolicy } from './limit-policy';
import { duration } from './fields';

/** Methods that a route can name. */
export const GATEWAY_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export type GatewayMethod = (typeof GATEWAY_METHODS)[number];

/** A timer of node holds 24 days; what is longer would be over at once. */
const MAX_TIME_MS = 24 * 60 * 60 * 1_000;
const time = (defaultValue: string) =>
  duration(defaultValue, 'Time').refine((value) => value <= MAX_TIME_MS, 'must be at most 24h');
const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a name of a-z, 0-9 and -');
/** `/`-separated segments: text, `:name` for one of them, `*` at the end for all that follows. */
const pattern = z
  .string()
  .regex(
    // eslint-disable-next-line security/detect-unsafe-regex -- of the operator; each segment starts with its own slash
    /^(\/(?:[A-Za-z0-9._~-]+|:[A-Za-z]\w*))*(\/\*?)?$/,
    'must be a path such as /v1/orders/:id or /v1/orders/*',
  )
  .refine((path) => path.startsWith('/'), 'must begin with /')
  .refine((path) => !/\/\.{1,2}(\/|$)/.test(path), 'must not have . or .. as a segment');
const originUrl = z
  .string()
  .refine(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text,
    'must be an origin such as http://10.0.0.7:3001, without a path',
  );

const upstreamSchema = z.strictObject({
  url: originUrl,
  /** Share of the requests among its siblings: 95 and 5 make a canary of the second. 0 takes none. */
  weight: z.int().min(0).max(10_000).default(1),
});

const serviceSchema = z.strictObject({
  /** `auth` is the auth service: it checks tokens itself, and is told the address of the client. */
  kind: z.enum(['auth', 'other']).default('other'),
  upstreams: z
    .array(upstreamSchema)
    .min(1, 'needs at least one upstream')
    .refine((list) => new Set(list.map(({ url }) => url)).size === list.length, 'has an upstream twice')
    .refine((list) => list.some(({ weight }) => weight > 0), 'needs an upstream whose weight is not 0'),
  /** Which upstream serves whom: by weight anew each time, or one client address or one session always the same. */
  sticky: z.enum(['none', 'address', 'session']).default('none'),
  /** Asked every `healthInterval`; an upstream that does not answer 2xx gets nothing while another one does. */
  health: z.string().startsWith('/').default('/readyz'),
  healthInterval: time('1s'),
  /** Where the service tells of its API (OpenAPI 3.1, JSON); it becomes a part of the gateway's document. */
  document: z.string().startsWith('/').optional(),
  connectTimeout: time('2s'),
  /** Requests at once for each upstream; more are answered with 503. */
  maxConcurrent: z.int().min(1).max(100_000).default(1_024),
});

const routeSchema = z.strictObject({
  path: pattern,
  /** Others are answered with 405; without it the service decides. */
  methods: z.array(z.enum(GATEWAY_METHODS)).min(1).optional(),
  service: name,
  /**
   * `bearer`: needs a valid access token. `optional`: one that is there must be valid. `none`: not looked at. `document`: as the
   * document of the service says of the operation; what it does not know is not looked at.
   */
  auth: z.enum(['bearer', 'optional', 'none', 'document']).default('bearer'),
  /** From the whole request to the head of the answer, repetitions included. */
  timeout: time('20s'),
  /** Longest pause within an answer; of an event stream none is too long. */
  idleTimeout: time('30s'),
  /** Repetitions after a failure, of what may be repeated. */
  retries: z.int().min(0).max(5).default(2),
  /** Whether the service gives one answer to all requests with one Idempotency-Key, so that POST and PATCH may be repeated. */
  idempotencyKeys: z.boolean().default(false),
  /** Bytes. */
  maxBodyBytes: z.int().min(0).max(1_073_741_824).default(65_536),
  /** Passes bodies on while they arrive instead of collecting them first: for large ones, which are then not repeated. */
  streamBody: z.boolean().default(false),
  /** Whether WebSockets may be opened. */
  webSocket: z.boolean().default(false),
  /** Of this route alone, for each client: such as `address=60,window=1m`. */
  limit: limitPolicy('window=1m', 'Limit').optional(),
});

const tableSchema = z.strictObject({
  services: z.record(name, serviceSchema).refine((all) => Object.keys(all).length > 0, 'needs at least one service'),
  routes: z.array(routeSchema).min(1, 'needs at least one route'),
});

export type GatewayUpstream = z.output<typeof upstreamSchema>;
export type GatewayService = z.output<typeof serviceSchema>;
export type GatewayRoute = Omit<z.output<typeof routeSchema>, 'limit'> & {
  readonly limit?: ParsedLimitPolicy | undefined;
};
export interface GatewayTable {
  readonly services: Readonly<Record<string, GatewayService>>;
  readonly routes: readonly GatewayRoute[];
}

/** A table, or everything that is wrong with it. */
export type ParsedTable =
  | { readonly table: GatewayTable; readonly problems?: undefined }
  | { readonly table?: undefined; readonly problems: readonly string[] };

/** What a pattern matches, whatever its parameters are called. */
const shapeOf = (path: string): string => path.replaceAll(/:\w+/g, ':');

const crossProblems = ({ services, routes }: GatewayTable): string[] => {
  const problems: string[] = [];
  const seen = new Map<string, number>();
  for (const [index, { path, methods, service, auth }] of routes.entries()) {
    const where = `routes.${index}`;
    const target = Object.hasOwn(services, service) ? services[service] : undefined;
    if (target === undefined) problems.push(`${where}.service: there is no service ${service}`);
    if (auth === 'document' && target !== undefined && target.document === undefined)
      problems.push(`${where}.auth: the service ${service} has no document`);
    for (const method of methods ?? GATEWAY_METHODS) {
      const id = `${method} ${shapeOf(path)}`;
      const earlier = seen.get(id);
      if (earlier !== undefined) problems.push(`${where}.path: ${id} is routes.${earlier} already`);
      seen.set(id, index);
    }
  }
  if (Object.values(services).filter(({ kind }) => kind === 'auth').length > 1)
    problems.push('services: only one can be of the kind auth');
  return problems;
};

/** Checks a table; every problem is named, with its place. */
export const parseTable = (document: unknown): ParsedTable => {
  const parsed = tableSchema.safeParse(document);
  if (!parsed.success)
    return { problems: parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'table'}: ${message}`) };
  const problems = crossProblems(parsed.data);
  return problems.length > 0 ? { problems } : { table: parsed.data };
};

/** Reads the text of `GATEWAY_ROUTES_FILE`. */
export const parseTableText = (text: string): ParsedTable => {
  try {
    return parseTable(parse(text));
  } catch (error) {
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    return { problems: [`is not YAML${line === undefined ? '' : ` (line ${line})`}`] };
  }
};

/** Pages of the auth service that links in mails lead to; each has a style sheet and a script. */
const PAGES = ['verify-email', 'reset-password', 'cancel-recovery', 'complete-recovery'];

/** Everything public of the auth service, and nothing else: neither its metrics nor its probes. */
export const defaultTable = (authServiceUrls: readonly string[]): GatewayTable => {
  const route = (path: string, more: Record<string, unknown>) => ({ path, service: 'auth', ...more });
  const parsed = parseTable({
    services: {
      auth: {
        kind: 'auth',
        upstreams: authServiceUrls.map((url) => ({ url })),
        document: '/api/docs/openapi.json',
      },
    },
    routes: [
      route('/v1/*', { auth: 'document', idempotencyKeys: true }),
      route('/.well-known/*', { auth: 'none' }),
      ...PAGES.flatMap((page) => ['', '.css', '.js'].map((suffix) => `/${page}${suffix}`)).map((path) =>
        route(path, { auth: 'none' }),
      ),
    ],
  });
  if (parsed.table === undefined) throw new Error(`The built-in table: ${parsed.problems.join('; ')}`);
  return parsed.table;
};
