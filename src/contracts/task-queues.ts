/**
 * Temporal task queues: workflows and their database activities by domain, `email` for mail and `sms` for SMS alone, and `maintenance` for what
 * runs on a schedule.
 */
export const TASK_QUEUES = {
  registration: 'registration',
  account: 'account',
  mfa: 'mfa',
  email: 'email',
  sms: 'sms',
  maintenance: 'maintenance',
} as const;
export type TaskQueue = (typeof TASK_QUEUES)[keyof typeof TASK_QUEUES];
