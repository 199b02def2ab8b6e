import { afterAll, beforeAll } from '@jest/globals';
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes';
import { TestWorkflowEnvironment } from '@temporalio/testing';

import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes';
import { TASK_QUEUES } from '../../src/contracts/task-queues';
import { temporalTestServerProgram } from '../../tools/stack/program';

import { startTestService, type TestService } from './start-test-service';

const START_TIMEOUT_MS = 90_000;

export interface TimeSkippingService extends TestService {
  /** Lets so much of Temporal's time pass at once: the timers that fall into it fire, in order. Our clock goes on as ever. */
  skip(milliseconds: number): Promise<void>;
}

const startTemporal = async (): Promise<TestWorkflowEnvironment> => {
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: temporalTestServerProgram() } },
  });
  const searchAttributes = Object.fromEntries(
    Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => [name, encodeSearchAttributeIndexedValueType(type)]),
  );
  await environment.connection.operatorService.addSearchAttributes({
    namespace: environment.namespace ?? 'default',
    searchAttributes: searchAttributes as Record<string, number>,
  });
  return environment;
};

/** This server knows no schedules, which the maintenance queue begins with. */
const WORKER_TASK_QUEUES = Object.values(TASK_QUEUES)
  .filter((queue) => queue !== TASK_QUEUES.maintenance)
  .join(',');

/** The whole service, its real processes and databases, on a Temporal whose time can be skipped. */
export const useTimeSkippingService = (env: Readonly<Record<string, string>> = {}): TimeSkippingService => {
  const service = {} as TimeSkippingService;
  let temporal: TestWorkflowEnvironment | undefined;
  let started: TestService | undefined;
  beforeAll(async () => {
    const environment = await startTemporal();
    temporal = environment;
    started = await startTestService({
      temporalAddress: environment.address,
      env: { WORKER_TASK_QUEUES, ...env },
    });
    Object.assign(service, started, { skip: (milliseconds: number) => environment.sleep(milliseconds) });
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await started?.stop();
    await temporal?.teardown();
  }, START_TIMEOUT_MS);
  return service;
};
