const { existsSync } = require('node:fs');

const { default: Sequencer } = require('@jest/test-sequencer');

/** What takes longest by kind: a stack of its own, servers of its own, nothing but the code. */
const KINDS = ['e2e', 'integration', 'replay', 'unit'];

const isOfParts = (path) => existsSync(path.replace(/\.test\.ts$/, ''));

/**
 * Long files first, so that the workers end together. Jest knows what took long the last time; on a machine where there was none it
 * goes by the size of a file, which tells nothing where its tests stand in a folder of the same name, or where each starts a stack.
 */
module.exports = class extends Sequencer {
  sort(tests) {
    const rank = ({ path, context }) => (isOfParts(path) ? -1 : KINDS.indexOf(context.config.displayName.name));
    const sorted = super.sort(tests);
    if (sorted.some(({ duration }) => duration !== undefined)) return sorted;
    // Sorting is stable: within a kind Jest's order stays.
    return sorted.sort((one, other) => rank(one) - rank(other));
  }
};
