import { describe, expect, test } from '@jest/globals';

import { traceIdOf } from './trace-context';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const REST = `${TRACE}-${PARENT}-01`;

describe('the trace id of traceparent', () => {
  test.each([
    `00-${REST}`,
    `00-${TRACE}-${PARENT}-00`,
    `00-${TRACE}-${PARENT}-ff`,
    // Of a later version what this one knows is read; it may have more, behind a dash.
    `01-${REST}`,
    `cc-${REST}`,
    `cc-${REST}-`,
    `cc-${REST}-what.the-future/will=be-like`,
    `fe-${REST}-09`,
  ])('of %s is read', (header) => {
    expect(traceIdOf(header)).toBe(TRACE);
  });

  test.each([
    undefined,
    '',
    TRACE,
    // This version has four fields.
    `00-${REST}-`,
    `00-${REST}-more`,
    // Not a version.
    `ff-${REST}`,
    `ff-${REST}-more`,
    `0-${REST}`,
    `000-${REST}`,
    `0G-${REST}`,
    `.0-${REST}`,
    // Not an id.
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `cc-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE.slice(1)}-${PARENT}-01`,
    `00-${TRACE}0-${PARENT}-01`,
    `00-${TRACE}-${PARENT.slice(1)}-01`,
    `00-${TRACE}-${PARENT}0-01`,
    `00-.${TRACE.slice(1)}-${PARENT}-01`,
    // Not flags.
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-`,
    `00-${TRACE}-${PARENT}-1`,
    `00-${TRACE}-${PARENT}-.0`,
    `cc-${TRACE}-${PARENT}-011`,
    `cc-${REST}.what-the-future-will-be-like`,
    // Digits above nine are small letters.
    `00-${REST}`.toUpperCase(),
    `00-${TRACE}-${PARENT}-0A`,
    // Two of them.
    `00-${REST}, 00-${REST}`,
    ` 00-${REST}`,
    `00-${REST} `,
  ])('is not there in %s', (header) => {
    expect(traceIdOf(header)).toBeUndefined();
  });
});
