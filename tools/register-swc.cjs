/**
 * `node -r ./tools/register-swc.cjs some-tool.ts` runs TypeScript from the sources, for tools that must not use a build that
 * has gone stale. Node 20 cannot strip types, and `require.extensions`, deprecated as it is, is the hook that CommonJS has.
 */
const { transformFileSync } = require('@swc/core');

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformFileSync(filename, {
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023', keepClassNames: true },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  });
  module._compile(code, filename);
};
