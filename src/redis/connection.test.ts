import { expect, test } from '@jest/globals';

import { reconnectDelayMs } from './connection';

test('reconnecting is tried sooner at first and every second at last', () => {
  expect([1, 2, 3, 6, 100].map(reconnectDelayMs)).toEqual([50, 100, 200, 1_000, 1_000]);
});
