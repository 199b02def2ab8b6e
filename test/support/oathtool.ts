import { execFileSync, spawnSync } from 'node:child_process';

import { test } from '@jest/globals';

/** Where OATH Toolkit (Debian: `oathtool`) is not on the machine its tests are skipped by name. */
export const testWithOathtool = spawnSync('oathtool', ['--version']).status === 0 ? test : test.skip;

/** The code of OATH Toolkit for an instant, seconds since 1970; for now where it is left out. */
export const oathtoolCode = (secret: string, seconds?: number): string => {
  const at = seconds === undefined ? [] : [`--now=@${String(seconds)}`];
  return execFileSync('oathtool', ['--totp', '--base32', ...at, secret], { encoding: 'utf8' }).trim();
};
