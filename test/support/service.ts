import { afterAll, beforeAll } from '@jest/globals';

import { startTestService, type TestService, type TestServiceOptions } from './start-test-service';

export type { TestService } from './start-test-service';

const START_TIMEOUT_MS = 90_000;

/** A service for all tests of the file or block: started before the first, stopped after the last, also when the start fails. */
export const useTestService = (options?: TestServiceOptions): TestService => {
  const service = {} as TestService;
  let starting: Promise<TestService> | undefined;
  beforeAll(async () => {
    starting = startTestService(options);
    Object.assign(service, await starting);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await starting?.then((started) => started.stop());
  }, START_TIMEOUT_MS);
  return service;
};

/** Good for every suite that shares a service: nobody waits for pauses, and what is off by default can be tried. */
const SHARED_ENV = {
  LOCKOUT_FREE_FAILURES: '50',
  MFA_REMEMBER_DEVICE_FOR: '30d',
  NOTICE_SWEEP_INTERVAL: '2s',
  WEBAUTHN_RP_ID: 'localhost',
  WEBAUTHN_ORIGINS: 'https://app.localhost',
};
let shared: TestService | undefined;

/**
 * For suites that need nothing but a service that runs, each with people of its own: one is started for all those that a test
 * file imports. A suite that stops a part, counts what everybody has, or is configured in its own way, starts one of its own.
 */
export const useSharedService = (): TestService => (shared ??= useTestService({ env: SHARED_ENV }));
