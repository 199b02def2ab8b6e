import { Counter, type Registry } from 'prom-client';

/** What the BullMQ consumer counts. */
export const createConsumerMetrics = (registry: Registry) => {
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
  return {
    completed: counter('queue_jobs_completed_total', 'Jobs done'),
    failed: counter('queue_jobs_failed_total', 'Attempts that failed, the last ones included'),
    deadLettered: counter('queue_jobs_dead_lettered_total', 'Jobs that failed for good and wait for an operator'),
    stalled: counter('queue_jobs_stalled_total', 'Jobs taken back from a consumer that died'),
  };
};
