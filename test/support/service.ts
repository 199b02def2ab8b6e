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
