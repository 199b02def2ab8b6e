import js from '@eslint/js';
import security from 'eslint-plugin-security';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

import ownLinesPerFunction from './tools/lint/own-lines-per-function.mjs';

const TYPESCRIPT = ['**/*.ts', '**/*.mts', '**/*.cts'];
const JAVASCRIPT = ['**/*.js', '**/*.mjs', '**/*.cjs'];
const TESTS = ['test/**/*.{ts,js}', '**/*.test.ts', 'clients/*/test/**/*.ts'];
const WORKFLOWS = 'src/workflows/**/*.ts';
/** Temporal replaces `Date` in the sandbox and offers no other clock; this file is the one place that reads it. */
const WORKFLOW_CLOCK = 'src/workflows/workflow-clock.ts';

const NO_PROCESS_ENV = {
  object: 'process',
  property: 'env',
  message: 'Only src/config reads the environment; take the typed configuration as a parameter.',
};

/** ESLint replaces a rule's options where it is set again, so every block names the whole list. */
const NO_FOCUSED_TESTS = ['test', 'it', 'describe'].map((object) => ({
  object,
  property: 'only',
  message: 'It would leave out every other test.',
}));

const CLOCK_PROPERTIES = [
  { object: 'Date', property: 'now', message: 'Take the time from workflow-clock.ts.' },
  {
    object: 'Math',
    property: 'random',
    message: 'Take randomness from @temporalio/workflow (uuid4) or from an activity.',
  },
  { object: 'performance', property: 'now', message: 'Take the time from workflow-clock.ts.' },
];

const NO_MODULE_STATE = [
  {
    selector: ':matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration[kind="let"]',
    message: 'No state of a module: build it in src/container and pass it in.',
  },
  {
    selector:
      ':matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator > ' +
      'NewExpression.init:not([callee.name=/^(Set|Map|RegExp|URL|TextEncoder|TextDecoder|AsyncLocalStorage)$/])' +
      ':not([callee.property.name=/^(NumberFormat|DateTimeFormat|PluralRules|Collator)$/])',
    message: 'No singletons of a module: build it in src/container and pass it in.',
  },
];

const SANDBOX_SYNTAX = [
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'Take the time from workflow-clock.ts.',
  },
  { selector: 'CallExpression[callee.name="Date"]', message: 'Take the time from workflow-clock.ts.' },
  {
    selector: 'MemberExpression[property.name="now"][object.property.name="unsafe"]',
    message: 'It is the clock of the machine and differs on replay.',
  },
  { selector: 'ImportExpression', message: 'A workflow is bundled ahead: import statically.' },
];

const SANDBOX_GLOBALS = {
  process: 'A workflow has no process: pass what it needs as input.',
  Buffer: 'The sandbox has no Node API: do it in an activity.',
  crypto: 'Take randomness from @temporalio/workflow (uuid4) or from an activity.',
  fetch: 'Do input and output in an activity.',
  performance: 'Take the time from workflow-clock.ts.',
  setTimeout: 'Use sleep() or condition() of @temporalio/workflow.',
  setInterval: 'Use sleep() of @temporalio/workflow in a loop.',
  setImmediate: 'Use sleep() of @temporalio/workflow.',
  require: 'Import statically.',
  __dirname: 'The sandbox has no files.',
  __filename: 'The sandbox has no files.',
  globalThis: 'Do not reach around the rules of the sandbox.',
  global: 'Do not reach around the rules of the sandbox.',
  WeakRef: 'Garbage collection is not deterministic.',
  FinalizationRegistry: 'Garbage collection is not deterministic.',
};

export default defineConfig(
  globalIgnores([
    '**/dist/',
    'coverage/',
    '.meqenet/',
    'src/generated/',
    'clients/*/src/generated/',
    'clients/typescript-http/',
    '**/node_modules/',
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  { plugins: { meqenet: { rules: { 'own-lines-per-function': ownLinesPerFunction } } } },
  js.configs.recommended,
  security.configs.recommended,
  {
    name: 'all files',
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-eval': 'error',
      'no-restricted-imports': ['error', { paths: ['process', 'node:process'] }],
      'object-shorthand': 'error',
      'prefer-const': 'error',
      // With noUncheckedIndexedAccess and Maps for foreign keys its findings here are all `array[index]` and typed records.
      'security/detect-object-injection': 'off',
    },
  },
  {
    name: 'typescript',
    files: TYPESCRIPT,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // `import { type A }` keeps the import at run time and the import rules would take it for one of a value.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      // A number in a message is as clear as text.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => socket.destroy()` is how callbacks of libraries are written.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // `[...text]` counts code points, which is what is meant where it stands.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // tsconfig's noPropertyAccessFromIndexSignature is off, and `process.env['NAME']` reads as the lookup that it is.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
    },
  },
  {
    name: 'javascript, without types',
    files: JAVASCRIPT,
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        URLSearchParams: 'readonly',
        fetch: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        TextDecoder: 'readonly',
        TextEncoder: 'readonly',
        performance: 'readonly',
        queueMicrotask: 'readonly',
        structuredClone: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        setImmediate: 'readonly',
      },
    },
  },
  {
    name: 'commonjs',
    files: ['**/*.cjs', '**/*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { require: 'readonly', module: 'writable', exports: 'writable', __dirname: 'readonly' },
    },
  },
  {
    name: 'source',
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', NO_PROCESS_ENV, ...NO_FOCUSED_TESTS],
      'no-restricted-syntax': ['error', ...NO_MODULE_STATE],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'meqenet/own-lines-per-function': ['error', { max: 50 }],
      complexity: ['error', 15],
      'max-depth': ['error', 3],
    },
  },
  {
    name: 'packages for other teams',
    files: ['clients/*/src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', NO_PROCESS_ENV, ...NO_FOCUSED_TESTS],
      'no-restricted-syntax': ['error', ...NO_MODULE_STATE],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'meqenet/own-lines-per-function': ['error', { max: 50 }],
      complexity: ['error', 15],
      'max-depth': ['error', 3],
    },
  },
  {
    name: 'routes are declarations',
    files: ['src/api/routes/**/*.ts'],
    rules: { 'meqenet/own-lines-per-function': ['error', { max: 100 }] },
  },
  {
    name: 'processes: a rejection that nobody waits for ends them, as it should',
    files: ['src/bin/**/*.ts'],
    rules: { '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }] },
  },
  {
    name: 'configuration: the one reader of the environment',
    files: ['src/config/**/*.ts'],
    rules: { 'no-restricted-properties': ['error', ...NO_FOCUSED_TESTS] },
  },
  {
    name: 'converters: Temporal loads them by the path of a module that exports one',
    files: ['src/temporal/*-converter.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    name: 'workflows: the sandbox',
    files: [WORKFLOWS],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...Object.entries(SANDBOX_GLOBALS).map(([name, message]) => ({ name, message })),
      ],
      'no-restricted-properties': ['error', NO_PROCESS_ENV, ...CLOCK_PROPERTIES],
      'no-restricted-syntax': ['error', ...NO_MODULE_STATE, ...SANDBOX_SYNTAX],
      // The folders are checked by .dependency-cruiser.cjs as well; here the editor shows it at once.
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex:
                '^(?!\\./|\\.\\./(contracts|activities)(/|$)|\\.\\./workflow-clock$|@temporalio/(workflow|common)$)',
              message: 'A workflow imports @temporalio/{workflow,common}, contracts, and the types of activities only.',
            },
            {
              regex: '^\\.\\./activities(/|$)',
              allowTypeImports: true,
              message: 'Import the types of activities only; proxyActivities() calls them.',
            },
          ],
        },
      ],
    },
  },
  {
    name: 'workflows: the clock',
    files: [WORKFLOW_CLOCK],
    rules: { 'no-restricted-properties': ['error', NO_PROCESS_ENV] },
  },
  {
    name: 'tests',
    files: TESTS,
    rules: {
      'no-restricted-properties': ['error', ...NO_FOCUSED_TESTS],
      'no-restricted-syntax': 'off',
      'max-lines': 'off',
      'meqenet/own-lines-per-function': 'off',
      complexity: 'off',
      // Tests read their own fixtures and build what they match.
      'security/detect-non-literal-fs-filename': 'off',
      'security/detect-non-literal-regexp': 'off',
      'security/detect-child-process': 'off',
      'security/detect-unsafe-regex': 'off',
      // A test knows that its fixture is there; `!` fails as loudly as an assertion.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Jest's matchers and JSON answers are `any`; the assertion itself checks them.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      // Doubles implement asynchronous interfaces without waiting for anything.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    name: 'unit tests have no environment either',
    files: ['src/**/*.test.ts'],
    ignores: ['src/config/**'],
    rules: { 'no-restricted-properties': ['error', NO_PROCESS_ENV, ...NO_FOCUSED_TESTS] },
  },
  {
    name: 'tools',
    files: ['tools/**', '*.mjs', '*.js', '*.cjs', 'deploy/**'],
    rules: {
      // Tools start programs and write files whose names they compute; nothing in them comes from a request.
      'security/detect-non-literal-fs-filename': 'off',
      'security/detect-child-process': 'off',
    },
  },
  {
    name: 'tools in typescript',
    files: ['tools/**/*.ts'],
    // `return console.log(...)` ends a command.
    rules: { '@typescript-eslint/no-confusing-void-expression': 'off' },
  },
  {
    name: 'tools in commonjs',
    files: ['**/*.cjs', '**/*.js'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
