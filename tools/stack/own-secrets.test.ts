import { expect, test } from '@jest/globals';

import { PROCESS_SECTIONS } from '../../src/config/processes';

import { withOwnSecrets } from './own-secrets';

const environment = {
  PATH: '/usr/bin',
  LOG_LEVEL: 'warn',
  REDIS_PASSWORD: 'r',
  GATEWAY_SECRET_FILE: '/run/secrets/gateway',
  DATABASE_URL: 'd',
  TOKEN_KEY_FILE: '/run/secrets/token-key',
};

test('a process is given its own secrets, by value or by file, and everything that is none', () => {
  expect(withOwnSecrets(environment, PROCESS_SECTIONS.gateway)).toEqual({
    PATH: '/usr/bin',
    LOG_LEVEL: 'warn',
    REDIS_PASSWORD: 'r',
    GATEWAY_SECRET_FILE: '/run/secrets/gateway',
  });
  expect(withOwnSecrets(environment, PROCESS_SECTIONS['codec-server'])).toEqual({
    ...{ PATH: '/usr/bin', LOG_LEVEL: 'warn', REDIS_PASSWORD: 'r' },
    ...{ DATABASE_URL: 'd', TOKEN_KEY_FILE: '/run/secrets/token-key' },
  });
});
