// Preloaded into a process (`--require`): writes which modules it had loaded when it ended.
const { writeFileSync } = require('node:fs');

// eslint-disable-next-line security/detect-non-literal-fs-filename -- the test names it
process.on('exit', () => writeFileSync(process.env.LOADED_MODULES_FILE, Object.keys(require.cache).join('\n')));
