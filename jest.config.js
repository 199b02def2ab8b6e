/** Four kinds of tests, each a project: `npx jest --selectProjects unit`. `npm test` sets everything up first. */

/** Packages that are ES modules only, with what they import: Jest runs CommonJS, so swc converts them. */
const ES_MODULES = [
  ...['chokidar', '@noble/hashes', '@prisma/schema-engine-wasm', '@scure/base', 'get-port', 'jose', 'readdirp', 'uuid'],
];

/** pnpm keeps packages as node_modules/.pnpm/<name>@<version>/node_modules/<name>/, with `+` for the `/` of a scope. */
const storedNames = ES_MODULES.map((name) => `${name.replace('/', '\\+')}@`);
const transformIgnorePatterns = [
  `/node_modules/(?!\\.pnpm/|(${ES_MODULES.join('|')})/)`,
  `/node_modules/\\.pnpm/(?!(${storedNames.join('|')}))`,
];

const swc = [
  '@swc/jest',
  {
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023', keepClassNames: true },
    // Unlike the build, which keeps import(): Jest has no native one.
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  },
];

const project = (displayName, testMatch, options = {}) => ({
  displayName,
  rootDir: __dirname,
  testMatch,
  testEnvironment: 'node',
  transform: { '^.+\\.(ts|m?js)$': swc },
  transformIgnorePatterns,
  // The build's copies have the same names.
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.meqenet/'],
  testPathIgnorePatterns: ['/node_modules/'],
  restoreMocks: true,
  coveragePathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/src/generated/',
    '<rootDir>/test/',
    '<rootDir>/tools/',
    '\\.test\\.ts$',
  ],
  ...options,
});

/** @type {import('jest').Config} */
module.exports = {
  projects: [
    project('unit', [
      '<rootDir>/src/**/*.test.ts',
      '<rootDir>/tools/**/*.test.ts',
      '<rootDir>/clients/*/test/**/*.test.ts',
    ]),
    project('integration', ['<rootDir>/test/integration/**/*.test.ts']),
    project('e2e', ['<rootDir>/test/e2e/**/*.test.ts']),
    project('replay', ['<rootDir>/test/replay/**/*.test.ts']),
  ],
  globalSetup: '<rootDir>/test/support/global-setup.js',
  testSequencer: '<rootDir>/test/support/longest-first.js',
  // One for all kinds: Jest takes no timeout for a single project. Real servers on a busy machine need their time.
  testTimeout: 60_000,
  // A file is the unit of parallel work, and waits for servers as long as it works: three keep two cores busy.
  maxWorkers: 3,
  // A handle that is left open is a leak to be mended, not to be killed.
  forceExit: false,
  coverageProvider: 'v8',
  coverageDirectory: 'coverage',
  coverageReporters: ['text-summary', 'lcov', 'json-summary'],
  collectCoverageFrom: ['src/**/*.ts', '!src/generated/**', '!src/**/*.test.ts', '!src/**/*.types-check.ts'],
};
