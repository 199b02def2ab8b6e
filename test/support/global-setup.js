const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** A folder for what the test files of one run share: see data-template.ts. It goes when Jest does. */
module.exports = () => {
  const folder = mkdtempSync(join(tmpdir(), 'meqenet-template-'));
  process.env.MEQENET_TEST_TEMPLATE = folder;
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
};
