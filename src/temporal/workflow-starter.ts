import type { Client } from '@temporalio/client';

import { createAccountErasureClient } from './account-erasure-client';
import { createAccountRecoveryClient } from './account-recovery-client';
import { createCalls, type Timeouts } from './calls';
import { createContactChangeClient } from './contact-change-client';
import { createDataExportClient } from './data-export-client';
import { createFactorCodeClient } from './factor-code-client';
import { createEnrollmentClient } from './mfa-enrollment-client';
import { createPasswordResetClient } from './password-reset-client';
import { createRegistrationClient } from './registration-client';

export type { RegistrationRun, RegistrationStart } from './registration-client';

/** What the request path may ask of Temporal. Every method throws {AppError} `service_unavailable` when it does not answer. */
export const createWorkflowStarter = (client: Client, timeouts: Timeouts) => {
  const calls = createCalls(client, timeouts);
  return {
    ...createRegistrationClient(calls),
    ...createPasswordResetClient(calls),
    ...createContactChangeClient(calls),
    ...createFactorCodeClient(calls),
    ...createEnrollmentClient(calls),
    ...createAccountRecoveryClient(calls),
    ...createAccountErasureClient(calls),
    ...createDataExportClient(calls),
  };
};
export type WorkflowStarter = ReturnType<typeof createWorkflowStarter>;
