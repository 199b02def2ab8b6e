import { createAccountErasureActivities, createErasureMailActivities } from '../activities/account-erasure';
import { createAccountRecoveryActivities } from '../activities/account-recovery';
import { createRecoveryMailActivities, createRecoverySmsActivities } from '../activities/recovery-message';
import { createAccountActivities } from '../activities/account';
import { createContactChangeActivities } from '../activities/contact-change';
import { createContactMailActivities, createContactSmsActivities } from '../activities/contact-message';
import { createDataExportActivities, createDataExportMailActivities } from '../activities/data-export';
import { createEmailActivities } from '../activities/email';
import { createFactorCodeMailActivities, createFactorCodeSmsActivities } from '../activities/factor-code';
import { createMfaEnrollmentActivities } from '../activities/mfa-enrollment';
import { createNoticeActivities } from '../activities/notice';
import { createRegistrationActivities } from '../activities/registration';
import { createRetentionActivities } from '../activities/retention';
import { createSigningKeyActivities } from '../activities/signing-key';
import type { SectionOf } from '../config/processes';
import type { Config } from '../config/sections';
import { type TaskQueue, TASK_QUEUES } from '../contracts/task-queues';
import { deriveKey } from '../crypto/derive-key';
import { generateSigningKey } from '../crypto/signing-key';
import { mailIndicator, postgresIndicator, redisIndicator, temporalIndicator } from '../health/indicators';
import { createReadiness } from '../health/readiness';
import { createRecoveryDecisions } from '../identity/recovery-decisions';
import { createAdminRepository } from '../repositories/admin-repository';
import { createRecoveryCompletionRepository } from '../repositories/recovery-completion-repository';
import { createFailureKeyOf } from '../identity/lock-out';
import { createEnqueueNotice, type EnqueueNotice } from '../identity/notices';
import { createRetentionMetrics } from '../observability/retention-metrics';
import { createQueueProducer, type QueueProducer } from '../queue/queue.producer';
import { createPruneAudit } from '../repositories/audit-pruning';
import { createErasingRepository } from '../repositories/erasing-repository';
import { pingDatabase } from '../repositories/prisma-client';
import { createContactConfirmRepository } from '../repositories/contact-confirm-repository';
import { createContactRequestRepository } from '../repositories/contact-request-repository';
import { createFindFactorCode } from '../repositories/factor-code-messages';
import { createRetentionRepository } from '../repositories/retention-repository';
import { createSigningKeyRepository } from '../repositories/signing-key-repository';
import { createSmsMessenger } from '../sms/messenger';
import { forgetWorkflows } from '../temporal/forget-workflows';
import { createTemporalConnection } from '../temporal/connection';
import { ensureSchedule } from '../temporal/schedules';

import { buildDataKeyActivities, recurringWorkflows } from './maintenance';
import { type ProcessContext, CHECK_TIMEOUT_MS, closeAll, mustBeReady } from './process';
import { buildData, type Data } from './data';
import { buildWake } from './events';
import { buildMail } from './mail';
import { buildSmsProvider } from './sms';

type Context = ProcessContext<SectionOf<'worker'>>;

/** The steps of a change of phone or address, what is sent of it, and the codes of second factors. */
const buildContactActivities = (
  config: Config<'app' | 'security' | 'sms' | 'smsHttp'>,
  data: Data,
  mail: ReturnType<typeof buildMail>,
) => {
  const { contactChanges, codes, database, cipher } = data;
  const sms = createSmsMessenger(buildSmsProvider(config, mail.transport), mail.deliveries);
  const findFactorCode = createFindFactorCode(database, cipher);
  return {
    steps: createContactChangeActivities({
      contactChanges,
      contactRequests: createContactRequestRepository({ ...data, smsDailyLimit: config.sms.dailyLimit }),
      contactConfirms: createContactConfirmRepository({ ...data, highRiskHoldMs: config.security.holds.highRiskMs }),
    }),
    mails: {
      ...createContactMailActivities({ contactChanges, codes, mailer: mail.mailer }),
      ...createFactorCodeMailActivities({ findFactorCode, codes, mailer: mail.mailer }),
      ...createRecoveryMailActivities({
        ...{ ...data, mailer: mail.mailer },
        cancelUrl: `${config.app.publicUrl}/cancel-recovery`,
        completeUrl: `${config.app.publicUrl}/complete-recovery`,
      }),
    },
    sms: {
      ...createContactSmsActivities({ contactChanges, codes, sms }),
      ...createFactorCodeSmsActivities({ findFactorCode, codes, sms }),
      ...createRecoverySmsActivities({ ...data, sms }),
    },
  };
};

const buildRecoveryActivities = (data: Data) =>
  createAccountRecoveryActivities({
    recoveries: data.recoveries,
    completions: createRecoveryCompletionRepository(data),
    decide: createRecoveryDecisions({ ...data, accounts: createAdminRepository(data) }),
  });

const buildErasureActivities = (
  { security }: Config<'security'>,
  data: Data,
  client: Parameters<typeof forgetWorkflows>[0],
  queue: QueueProducer,
) =>
  createAccountErasureActivities({
    ...{ erasures: data.erasures, queue },
    erasing: createErasingRepository({
      ...data,
      failureKeyOf: createFailureKeyOf(deriveKey(security.tokenKey, 'lock-out')),
    }),
    forgetWorkflows: (...traces) => forgetWorkflows(client, ...traces),
  });

/** What an act has to wait for is kept for at least as long. */
const retentionPeriods = ({ privacy, security }: Config<'privacy' | 'security'>) => {
  const { periods } = privacy.retention;
  return { ...periods, steps: Math.max(periods.steps, security.holds.highRiskMs, security.holds.payoutMs) };
};

/** What recurs, on the `maintenance` queue. */
const buildMaintenanceActivities = (
  { config, logger, metrics }: Context,
  data: Data,
  enqueueNotice: EnqueueNotice,
) => ({
  ...createSigningKeyActivities({
    signingKeys: createSigningKeyRepository(data.database, data.ciphers['signing-keys']),
    generate: generateSigningKey,
    times: config.tokens.signingKeys,
  }),
  ...createNoticeActivities({
    ...{ outbox: data.outbox, enqueueNotice, logger },
    minAgeMs: config.queue.noticeSweepIntervalMs,
  }),
  ...createRetentionActivities({
    retention: createRetentionRepository({ ...data, pruneAudit: createPruneAudit(data) }),
    periods: retentionPeriods(config),
    ...createRetentionMetrics(metrics.registry),
  }),
});

/** The `worker` process: activities with what they use. */
export const buildWorker = (context: Context, isPolling: () => boolean | Promise<boolean>) => {
  const { config, logger } = context;
  const { isTraced } = config.telemetry;
  const data = buildData(context);
  const { database, codes, users, registrations, resets, resetTokens } = data;
  const temporal = createTemporalConnection(config.temporal, data.dataKeys, isTraced);
  const queue = createQueueProducer({ ...config.queue, redis: config.redis.connection, logger, isTraced });
  const wake = buildWake(config, data);
  const enqueueNotice = createEnqueueNotice({ users, queue });
  const mail = buildMail(config, database);
  const { transport, mailer } = mail;
  const contact = buildContactActivities(config, data, mail);
  const readiness = createReadiness(
    {
      postgres: postgresIndicator({ query: () => pingDatabase(database) }),
      redis: redisIndicator({ ping: () => mustBeReady(queue.isReady(CHECK_TIMEOUT_MS)) }),
      temporal: temporalIndicator({ getSystemInfo: () => mustBeReady(isPolling()) }),
      mail: mailIndicator({ verify: () => transport.verify(CHECK_TIMEOUT_MS) }),
    },
    { timeoutMs: CHECK_TIMEOUT_MS, optional: ['redis', 'mail'] },
  );
  return {
    activities: {
      registration: createRegistrationActivities({ registrations, users, queue }),
      account: {
        ...createAccountActivities({ resets, enqueueNotice }),
        ...contact.steps,
        ...buildRecoveryActivities(data),
        ...createDataExportActivities(data),
        ...buildErasureActivities(config, data, temporal.client, queue),
      },
      mfa: { ...createMfaEnrollmentActivities(data), enqueueNotice },
      email: {
        ...createEmailActivities({
          ...{ registrations, codes, resets, users, resetTokens, mailer },
          verificationUrl: `${config.app.publicUrl}/verify-email`,
          passwordResetUrl: `${config.app.publicUrl}/reset-password`,
        }),
        ...contact.mails,
        ...createErasureMailActivities({ ...data, mailer }),
        ...createDataExportMailActivities({ ...data, mailer }),
      },
      sms: contact.sms,
      maintenance: {
        ...buildMaintenanceActivities(context, data, enqueueNotice),
        ...buildDataKeyActivities(config, data, temporal.client),
      },
    },
    readiness,
    dataKeys: data.dataKeys,
    /** What recurs on these queues is in Temporal. @throws when Temporal does not answer: try again */
    ensureSchedules: async (queues: readonly TaskQueue[]): Promise<void> => {
      if (!queues.includes(TASK_QUEUES.maintenance)) return;
      const { client } = temporal;
      await client.withDeadline(Date.now() + config.temporal.updateTimeoutMs, async () => {
        for (const recurring of recurringWorkflows(config)) await ensureSchedule(client, recurring);
      });
    },
    close: () =>
      closeAll(
        () => temporal.close(),
        () => queue.close(),
        () => transport.close(),
        () => database.$disconnect(),
        wake.close,
      ),
  };
};
