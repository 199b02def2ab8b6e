/**
 * Temporal task queues: workflows and their database activities by domain, `email` for mail alone, and `maintenance` for what
 * runs on a schedule.
 */
export const TASK_QUEUES = {
  registration: 'registration',
  account: 'account',
  email: 'email',
  maintenance: 'maintenance',
} as const;
export type TaskQueue = (typeof TASK_QUEUES)[keyof typeof TASK_QUEUES];
