import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';

import type { AccountErasureActivities, ErasureMailActivities } from '../activities/account-erasure';
import type { AccountRecoveryActivities } from '../activities/account-recovery';
import type { RecoveryMailActivities, RecoverySmsActivities } from '../activities/recovery-message';
import type { AccountActivities } from '../activities/account';
import type { ContactChangeActivities } from '../activities/contact-change';
import type { ContactMailActivities, ContactSmsActivities } from '../activities/contact-message';
import type { DataKeyActivities } from '../activities/data-key';
import type { DataExportActivities, DataExportMailActivities } from '../activities/data-export';
import type { EmailActivities } from '../activities/email';
import type { FactorCodeMailActivities, FactorCodeSmsActivities } from '../activities/factor-code';
import type { MfaEnrollmentActivities } from '../activities/mfa-enrollment';
import type { NoticeActivities } from '../activities/notice';
import type { RegistrationActivities } from '../activities/registration';
import type { RetentionActivities } from '../activities/retention';
import type { SigningKeyActivities } from '../activities/signing-key';
import type { TemporalConfig } from '../config/temporal.config';
import { TASK_QUEUES, type TaskQueue } from '../contracts/task-queues';

import type { DataKeys } from '../contracts/keys';

import { toAddress } from './address';
import { createDataConverter } from './data-converter';
import { activityTracing } from './tracing';

export interface WorkerDependencies {
  readonly config: TemporalConfig;
  readonly queues: readonly TaskQueue[];
  readonly shutdownTimeoutMs: number;
  readonly workflowBundle: WorkerOptions['workflowBundle'];
  readonly dataKeys: DataKeys;
  readonly isTraced: boolean;
  readonly activities: {
    readonly registration: RegistrationActivities;
    readonly account: AccountActivities &
      ContactChangeActivities &
      AccountRecoveryActivities &
      AccountErasureActivities &
      DataExportActivities;
    readonly mfa: MfaEnrollmentActivities & Pick<AccountActivities, 'enqueueNotice'>;
    readonly email: EmailActivities &
      ContactMailActivities &
      FactorCodeMailActivities &
      RecoveryMailActivities &
      ErasureMailActivities &
      DataExportMailActivities;
    readonly sms: ContactSmsActivities & FactorCodeSmsActivities & RecoverySmsActivities;
    readonly maintenance: SigningKeyActivities & DataKeyActivities & NoticeActivities & RetentionActivities;
  };
}

export interface Workers {
  /** Whether every worker runs and Temporal answers. @throws when Temporal does not */
  isPolling(): Promise<boolean>;
  /** Settles when all workers have stopped; rejects when one fails. */
  readonly done: Promise<void>;
  /** Stops polling and waits for what runs, at most the shutdown timeout. */
  stop(): Promise<void>;
}

/** Less than a request waits for an update, so that it survives the worker that was to answer it. */
const STICKY_TIMEOUT_MS = 3_000;

/** What a worker of each task queue serves. */
const optionsFor = (
  queue: TaskQueue,
  { config, workflowBundle, activities }: WorkerDependencies,
): Partial<WorkerOptions> => {
  const { maxActivities, maxMailsPerSecond, maxSmsPerSecond } = config.worker;
  switch (queue) {
    case TASK_QUEUES.registration:
    case TASK_QUEUES.account:
    case TASK_QUEUES.mfa:
      return {
        ...(workflowBundle !== undefined && { workflowBundle }),
        activities: activities[queue],
        maxConcurrentActivityTaskExecutions: maxActivities,
      };
    case TASK_QUEUES.email:
      return {
        activities: activities.email,
        maxConcurrentActivityTaskExecutions: maxActivities,
        // Over the whole fleet, so that adding workers does not exceed what the mail server takes.
        maxTaskQueueActivitiesPerSecond: maxMailsPerSecond,
      };
    case TASK_QUEUES.sms:
      return {
        activities: activities.sms,
        maxConcurrentActivityTaskExecutions: maxActivities,
        maxTaskQueueActivitiesPerSecond: maxSmsPerSecond,
      };
    case TASK_QUEUES.maintenance:
      return {
        ...(workflowBundle !== undefined && { workflowBundle }),
        activities: activities.maintenance,
        maxConcurrentActivityTaskExecutions: maxActivities,
      };
  }
};

/** The queues a process was told to serve. @throws {Error} naming one that does not exist */
export const selectTaskQueues = (names: readonly string[]): TaskQueue[] => {
  const known = Object.values(TASK_QUEUES);
  const unknown = names.filter((name) => !known.some((queue) => queue === name));
  if (unknown.length > 0) {
    throw new Error(`WORKER_TASK_QUEUES: there is no ${unknown.join(', ')}; there are ${known.join(', ')}`);
  }
  return names.length === 0 ? known : known.filter((queue) => names.includes(queue));
};

/** Connects and starts a worker for each task queue. @throws when Temporal does not answer: try again */
export const startWorkers = async (deps: WorkerDependencies): Promise<Workers> => {
  const { config, queues, shutdownTimeoutMs } = deps;
  const connection = await NativeConnection.connect(toAddress(config));
  const workers = await Promise.all(
    queues.map((taskQueue) =>
      Worker.create({
        connection,
        namespace: config.namespace,
        taskQueue,
        dataConverter: createDataConverter(deps.dataKeys),
        interceptors: { activity: activityTracing(deps.isTraced) },
        // How long the workflows of a killed worker wait before another one takes them up; 10 s by default.
        stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT_MS,
        // 0 by default, which would abandon running activities at once.
        shutdownGraceTime: shutdownTimeoutMs,
        shutdownForceTime: shutdownTimeoutMs * 2,
        ...optionsFor(taskQueue, deps),
      }),
    ),
  );
  const shutDown = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const done = Promise.all(workers.map((worker) => worker.run()))
    // One worker that failed takes the others down, so that the process ends and is started anew.
    .finally(shutDown)
    .then(() => connection.close());

  return {
    isPolling: async () => {
      // A worker that has lost Temporal keeps its state and tries on for ever.
      await connection.workflowService.describeNamespace({ namespace: config.namespace });
      return workers.every((worker) => worker.getState() === 'RUNNING');
    },
    done,
    stop: async () => {
      shutDown();
      await done;
    },
  };
};
