/** Temporal task queues: workflows and their database activities by domain, and `email` for mail alone. */
export const TASK_QUEUES = {
  registration: 'registration',
  email: 'email',
} as const;
export type TaskQueue = (typeof TASK_QUEUES)[keyof typeof TASK_QUEUES];
