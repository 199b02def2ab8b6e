/**
 * Who may import whom: the table of the architecture as rules. A folder may import itself, what `values` names, and the
 * types of what `types` names; nothing else, so a new library is added to the folder that it belongs to. Tests beside the
 * code may build what they like, out of the rules for production code only.
 *
 * tools/lint/import-rules.test.ts proves that every rule bites.
 */

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** An npm package, by its own name or that of its types; `packages('@scope/')` is a whole scope. */
const packages = (...names) =>
  names.map((name) => {
    const typesName = name.startsWith('@') ? name.slice(1).replace('/', '__') : name;
    return `node_modules/(${escape(name)}|@types/${escape(typesName)})${name.endsWith('/') ? '' : '(/|$)'}`;
  });
const folders = (...names) => names.map((name) => `^src/${name}/`);
const file = (name) => `^src/${escape(name)}\\.ts$`;
const node = (...names) => names.map((name) => `^(node:)?${escape(name)}$`);
/** Node's own modules; whichever reads the environment is forbidden to all by a rule of its own. */
const ANY_NODE_MODULE = '^(node:)?[a-z_][a-z_/]*$';

const TEMPORAL = ['@temporalio/'];
/** What workflows may load: it runs in the sandbox, so it may not pull a library in. */
const SANDBOX_SAFE_CONTRACTS = '^src/contracts/([a-z-]+-workflow|task-queues|errors|search-attributes)\\.ts$';
/** Injected through parameters, so only their types are needed. */
const INJECTED = [...folders('config', 'observability'), ...packages('pino', 'prom-client')];

/** Spans of what is done where: through the API of OpenTelemetry, which does nothing until the SDK is started. */
const SPANS = file('observability/span');

const TABLE = {
  contracts: {
    values: packages('zod', 'libphonenumber-js'),
    types: [],
    /** Message definitions and search attribute keys are objects of the SDK. */
    exceptFor: {
      '^src/contracts/[a-z-]+-workflow\\.ts$': packages('@temporalio/workflow'),
      '^src/contracts/search-attributes\\.ts$': packages('@temporalio/common'),
    },
    why: 'contracts are what every process shares: zod, and @temporalio/workflow for message definitions',
  },
  config: {
    values: [...packages('zod', 'ms', 'yaml'), ...node('crypto', 'fs', 'fs/promises')],
    types: [],
    why: 'config depends on nothing but zod, ms, yaml, node’s parser of certificates and the files that the operator names',
  },
  crypto: {
    values: [
      ANY_NODE_MODULE,
      ...folders('contracts'),
      ...packages(
        ...['@node-rs/argon2', '@simplewebauthn/server', '@zxcvbn-ts/', 'cockatiel', 'jose', 'otpauth'],
        ...['qrcode-generator', 'uuid', 'zod'],
      ),
    ],
    types: INJECTED,
    why: 'crypto is a leaf: its own libraries and contracts',
  },
  keys: {
    values: [
      ANY_NODE_MODULE,
      ...folders('contracts', 'crypto'),
      ...packages('@aws-sdk/client-kms', 'lru-cache', 'zod'),
    ],
    types: [...INJECTED, ...folders('repositories')],
    why: 'keys wrap, keep and hand out keys; whoever stores them is injected',
  },
  secrets: {
    values: [ANY_NODE_MODULE, ...folders('contracts'), ...packages('@aws-sdk/client-secrets-manager', 'zod')],
    types: INJECTED,
    why: 'secrets is a leaf: whoever keeps them, by the SDK of its own',
  },
  mail: {
    values: [ANY_NODE_MODULE, SPANS, ...folders('contracts'), ...packages('nodemailer', 'libphonenumber-js')],
    types: INJECTED,
    why: 'mail is a leaf: its own libraries and contracts',
  },
  sms: {
    values: [ANY_NODE_MODULE, ...folders('contracts'), ...packages('libphonenumber-js')],
    types: INJECTED,
    why: 'sms is a leaf: its own libraries and contracts',
  },
  repositories: {
    values: [
      ANY_NODE_MODULE,
      SPANS,
      ...folders('contracts', 'generated/prisma'),
      ...packages('@prisma/', 'pg', 'uuid'),
    ],
    types: INJECTED,
    why: 'repositories are all database access and nothing else',
  },
  workflows: {
    values: [SANDBOX_SAFE_CONTRACTS, ...packages('@temporalio/workflow', '@temporalio/common')],
    types: folders('activities'),
    why: 'workflows run in the sandbox: no Node modules, no libraries, activities by type only',
  },
  activities: {
    values: [...folders('contracts'), ...packages('@temporalio/activity', '@temporalio/common')],
    types: ['^src/(?!bin/|container/|workflows/|generated/)'],
    why: 'activities take what they use through createActivities(deps)',
  },
  redis: {
    values: packages('ioredis'),
    types: folders('config'),
    why: 'redis is how connections to it are made, for the queue and whoever has one injected',
  },
  queue: {
    values: [ANY_NODE_MODULE, ...folders('contracts', 'redis'), ...packages('bullmq', 'bullmq-otel', 'zod')],
    types: [...INJECTED, ...folders('mail'), ...packages('ioredis')],
    why: 'the queue carries contracts; whoever consumes a job injects the mailer',
  },
  temporal: {
    values: [ANY_NODE_MODULE, ...folders('contracts', 'crypto'), ...packages(...TEMPORAL, 'uuid')],
    types: [...INJECTED, ...folders('activities')],
    why: 'temporal is the client, the worker and the payload codec; activities are passed in',
  },
  limits: {
    values: [ANY_NODE_MODULE, ...folders('contracts'), ...packages('rate-limiter-flexible')],
    types: [...INJECTED, ...packages('ioredis')],
    why: 'limits count requests in Redis; whoever guards a door injects them',
  },
  events: {
    values: [ANY_NODE_MODULE, ...folders('contracts'), ...packages('lru-cache')],
    types: [...INJECTED, ...folders('repositories'), ...packages('ioredis')],
    why: 'events carry what the audit trail records into streams of Redis; whoever reads the trail is injected',
  },
  identity: {
    values: [ANY_NODE_MODULE, ...folders('contracts'), ...packages('uuid')],
    types: [...INJECTED, ...folders('crypto', 'repositories'), file('temporal/workflow-starter')],
    why: 'identity is what the API and gRPC do, over injected repositories, crypto and the workflow starter',
  },
  api: {
    values: [
      ANY_NODE_MODULE,
      SPANS,
      ...folders('contracts', 'health', 'identity'),
      file('temporal/workflow-starter'),
      ...packages(
        ...['koa', '@koa/', 'helmet', 'find-my-way', 'negotiator', 'raw-body', 'swagger-ui-dist', 'uuid', 'yaml'],
        ...['zod', 'zod-openapi'],
      ),
      // Koa's types name those of its parts.
      ...packages('koa-compose', 'content-disposition', 'cookies', 'http-errors', 'keygrip'),
    ],
    types: [...INJECTED, ...folders('repositories', 'crypto', 'limits', 'events')],
    why: 'routes reach workflows through the workflow starter, and the database through injected repositories',
  },
  grpc: {
    values: [
      ANY_NODE_MODULE,
      SPANS,
      ...folders('contracts', 'health', 'identity', 'generated/proto'),
      ...packages('@grpc/', '@bufbuild/', 'grpc-health-check', 'nice-grpc-error-details', 'zod'),
    ],
    types: [...INJECTED, ...folders('api', 'events')],
    why: 'gRPC is a second door to the operations of the API, which are injected: their rules are theirs',
  },
  gateway: {
    values: [
      ANY_NODE_MODULE,
      // How tokens, traces and ids of requests are treated is the same at the edge as behind it.
      ...['contracts/bearer', 'contracts/errors', 'contracts/trace-context'].map(file),
      ...['crypto/access-token-verifier', 'api/request-ids', 'observability/span'].map(file),
      ...packages('cockatiel', 'find-my-way', 'jose', 'raw-body', 'undici', 'zod'),
    ],
    types: [...INJECTED, ...folders('limits', 'events', 'health')],
    why: 'the gateway knows error codes and tokens, not the service behind it; what it answers itself is injected',
  },
  health: {
    values: [ANY_NODE_MODULE, ...folders('contracts')],
    types: [...INJECTED, ...packages('@temporalio/client', 'ioredis', 'pg', 'bullmq', 'pino')],
    why: 'health is a leaf: whoever composes it hands the probes in',
  },
  observability: {
    values: [
      ANY_NODE_MODULE,
      ...folders('contracts'),
      ...packages('pino', 'prom-client', '@opentelemetry/', '@grpc/grpc-js'),
    ],
    types: [...folders('config'), ...packages('@temporalio/')],
    why: 'observability is a leaf: its own libraries and contracts',
  },
  container: {
    values: ['^src/(?!bin/|workflows/|generated/)', ...packages('lru-cache')],
    types: packages('pino'),
    why: 'the composition root builds what the folders make, and holds nothing of its own',
  },
  bin: {
    values: [
      ANY_NODE_MODULE,
      ...['instrumentation', 'api/server', 'api/operations-server', 'grpc/server', 'contracts/keys'].map(file),
      ...folders('config', 'container', 'observability', 'health', 'secrets', 'temporal', 'gateway'),
      ...packages('@temporalio/worker'),
    ],
    types: ['^src/(?!bin/|generated/)', ...packages('koa', 'pino', ...TEMPORAL)],
    why: 'a process starts servers and workers with what the container built',
  },
};

/**
 * An import that is there at run time. Not `type-only`, which also marks a pair of imports of one module, one of types and
 * one of values.
 */
const NOT_TYPE_ONLY = { dependencyTypesNot: ['pre-compilation-only'] };

const folderRules = Object.entries(TABLE).flatMap(([folder, { values, types, exceptFor = {}, why }]) => {
  const own = `^src/${folder}/`;
  const exceptions = Object.keys(exceptFor);
  const rulesFor = (suffix, from, allowed) => [
    {
      name: `${folder}-imports${suffix}`,
      comment: why,
      severity: 'error',
      from,
      to: { pathNot: [own, ...allowed, ...types] },
    },
    ...(types.length === 0
      ? []
      : [
          {
            name: `${folder}-imports-types-only${suffix}`,
            comment: `${why} (\`import type\`)`,
            severity: 'error',
            from,
            to: { path: types, pathNot: [own, ...allowed], ...NOT_TYPE_ONLY },
          },
        ]),
  ];
  return [
    ...rulesFor('', { path: own, pathNot: ['\\.test\\.ts$', ...exceptions] }, values),
    ...Object.entries(exceptFor).flatMap(([path, more], index) =>
      rulesFor(`-${index + 1}`, { path, pathNot: '\\.test\\.ts$' }, [...values, ...more]),
    ),
  ];
});

const processWideRules = [
  {
    name: 'no-circular',
    comment: 'Two files that need each other are one, or miss a third.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-unresolvable',
    comment: 'It cannot be found: a typing error, or a package that is not installed.',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'no-undeclared-package',
    comment: 'It is not in package.json and only happens to be there.',
    severity: 'error',
    from: { path: '^src/' },
    // Types of a package (`@types/...`) may come with another one.
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/@types/' },
  },
  {
    name: 'no-dev-package',
    comment: 'It is not there in production.',
    severity: 'error',
    from: { path: '^src/', pathNot: '\\.test\\.ts$' },
    to: { dependencyTypes: ['npm-dev'], ...NOT_TYPE_ONLY },
  },
  {
    name: 'no-environment-but-in-config',
    comment: 'process.env is read in config alone; `node:process` is a way around the lint rule.',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: node('process') },
  },
  {
    name: 'no-tests-from-production',
    comment: 'Production code must not depend on tests.',
    severity: 'error',
    from: { path: '^(src|tools)/', pathNot: '\\.test\\.ts$' },
    to: { path: ['^test/', '\\.test\\.ts$'] },
  },
  {
    name: 'no-tools-from-src',
    comment: 'What runs in production does not need the tools; tests may start the embedded stack.',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^tools/' },
  },
  {
    name: 'clients-stand-alone',
    comment: 'What others install has its own package.json: nothing of the service, nor of another client.',
    severity: 'error',
    from: { path: '^clients/([^/]+)/src/' },
    to: {
      pathNot: [
        '^clients/$1/src/',
        ANY_NODE_MODULE,
        ...packages('@bufbuild/protobuf', '@grpc/grpc-js', 'jose', 'lru-cache'),
      ],
    },
  },
  {
    name: 'container-only-from-bin',
    comment: 'The composition root is for the processes and for tests; everything else is given what it needs.',
    severity: 'error',
    from: { path: '^(src|tools)/', pathNot: ['^src/(bin|container)/', '\\.test\\.ts$', '^tools/bench'] },
    // Commands of the operator encrypt and seal as the processes do.
    to: { path: folders('container'), pathNot: file('container/protection') },
  },
  {
    name: 'bin-is-the-end',
    comment: 'A process is started, not imported.',
    severity: 'error',
    from: { pathNot: '^src/bin/' },
    to: { path: '^src/bin/' },
  },
  {
    name: 'database-client-only-in-repositories',
    comment: 'All database access is in repositories; tests beside the code are no exception.',
    severity: 'error',
    from: { path: '^(src|tools)/', pathNot: ['^src/(repositories|generated)/'] },
    to: { path: '^src/generated/prisma/' },
  },
  {
    name: 'sandbox-safe-contracts',
    comment: 'Workflows load these files: what they import at run time ends in the workflow bundle.',
    severity: 'error',
    from: { path: SANDBOX_SAFE_CONTRACTS },
    to: {
      pathNot: [SANDBOX_SAFE_CONTRACTS, ...packages('@temporalio/workflow', '@temporalio/common')],
      ...NOT_TYPE_ONLY,
    },
  },
  {
    name: 'folder-has-rules',
    comment: 'A new folder of src needs a line in the table of .dependency-cruiser.cjs.',
    severity: 'error',
    from: { path: '^src/[^/]+/', pathNot: `^src/(${[...Object.keys(TABLE), 'generated'].join('|')})/` },
    to: {},
  },
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [...processWideRules, ...folderRules],
  options: {
    // 'specify' keeps imports of types apart from those of values.
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: ['node_modules', '^src/generated/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['require', 'node', 'default', 'types', 'import'],
      mainFields: ['main', 'types'],
    },
    skipAnalysisNotInRules: false,
  },
};
