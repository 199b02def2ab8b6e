/** As much of an OpenAPI 3.1 document as is looked into here; the rest is carried along. */
export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly servers?: readonly { readonly url: string }[];
  readonly security?: readonly object[];
  readonly tags?: readonly { readonly name: string }[];
  readonly paths?: Readonly<Record<string, PathItem>>;
  readonly components?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
type Method = 'get' | 'put' | 'post' | 'delete' | 'patch';
type PathItem = Readonly<Partial<Record<Method, Operation>>>;
interface Operation {
  readonly operationId?: string;
  readonly security?: readonly object[];
  readonly responses?: Readonly<Record<string, Answer>>;
}
interface Answer {
  readonly $ref?: string;
  readonly description?: string;
  readonly content?: unknown;
}

const METHODS: readonly Method[] = ['get', 'put', 'post', 'delete', 'patch'];

const PROBLEM_PROPERTIES = {
  status: { type: 'integer' },
  ...Object.fromEntries(
    ['type', 'title', 'detail', 'instance', 'code', 'requestId'].map((name) => [name, { type: 'string' }]),
  ),
};

const problem = (codes: string): Answer => ({
  description: codes,
  ...{
    headers: {
      'X-Request-Id': { description: 'Id of the request', schema: { type: 'string' } },
      'Retry-After': { description: 'Seconds to wait before the next try', schema: { type: 'string' } },
    },
  },
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'code', 'requestId'],
        properties: PROBLEM_PROPERTIES,
      },
    },
  },
});

/** What the gateway itself can answer in the place of a service. */
const OF_THE_GATEWAY: Readonly<Record<string, Answer>> = {
  '429': problem('`rate_limited`: Too many requests; try again later'),
  '502': problem(
    '`bad_gateway`: The service behind the gateway could not be reached. Whether it has acted is not known',
  ),
  '503': problem('`service_unavailable`, `overloaded`: Nothing was done; try again after Retry-After'),
  '504': problem(
    '`gateway_timeout`: The service behind the gateway did not answer in time. Whether it has acted is not known',
  ),
};

type Renames = Readonly<Record<string, string>>;

/** The same with every reference to a renamed component changed. */
const renamed = <T>(value: T, renames: Renames): T => {
  if (Array.isArray(value)) return value.map((item: unknown) => renamed(item, renames)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      key === '$ref' && typeof part === 'string' ? (renames[part] ?? part) : renamed<unknown>(part, renames),
    ]),
  ) as T;
};

type Components = Record<string, Record<string, unknown>>;

/** Components of one name that are not the same get the name of their service before theirs. */
const clashes = (name: string, document: OpenApi, components: Components): Renames => {
  const renames: Record<string, string> = {};
  for (const [kind, group] of Object.entries(document.components ?? {})) {
    for (const [key, part] of Object.entries(group)) {
      const other = components[kind]?.[key];
      if (other === undefined || JSON.stringify(other) === JSON.stringify(part)) continue;
      renames[`#/components/${kind}/${key}`] = `#/components/${kind}/${name}-${key}`;
    }
  }
  return renames;
};

const addComponents = (document: OpenApi, renames: Renames, components: Components): void => {
  for (const [kind, group] of Object.entries(document.components ?? {})) {
    for (const [key, part] of Object.entries(group)) {
      const target = renames[`#/components/${kind}/${key}`]?.split('/').at(-1) ?? key;
      (components[kind] ??= {})[target] = renamed(part, renames);
    }
  }
};

/** Kept once, however many operations can have them. */
const componentOf = (status: string): string => `Gateway${status}`;
const REFERENCES = Object.fromEntries(
  Object.keys(OF_THE_GATEWAY).map((status) => [status, { $ref: `#/components/responses/${componentOf(status)}` }]),
);

const withOwnAnswers = (operation: Operation): Operation => ({
  ...operation,
  responses: { ...REFERENCES, ...operation.responses },
});

const addPaths = (document: OpenApi, renames: Renames, paths: Record<string, PathItem>): void => {
  for (const [path, item] of Object.entries(renamed(document.paths ?? {}, renames))) {
    const operations = METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [[method, withOwnAnswers(operation)] as const];
    });
    // The first service that tells of a path has it, as with the routes.
    paths[path] ??= { ...item, ...Object.fromEntries(operations) };
  }
};

/** One document of those of all services, the first one lending its title. */
export const mergeDocuments = (
  documents: readonly { readonly name: string; readonly document: OpenApi }[],
): OpenApi | undefined => {
  const [first] = documents;
  if (first === undefined) return undefined;
  const own = Object.entries(OF_THE_GATEWAY).map(([status, answer]) => [componentOf(status), answer]);
  // Without a prototype: names are the services', and `__proto__` is one.
  const components = Object.assign(Object.create(null) as Components, {
    responses: Object.fromEntries(own) as Record<string, unknown>,
  });
  const paths: Record<string, PathItem> = {};
  for (const { name, document } of documents) {
    const renames = clashes(name, document, components);
    addComponents(document, renames, components);
    addPaths(document, renames, paths);
  }
  const tags = documents.flatMap(({ document }) => document.tags ?? []);
  return {
    ...first.document,
    servers: [{ url: '/' }],
    tags: [...new Map(tags.map((tag) => [tag.name, tag])).values()],
    paths,
    components,
  };
};
