import { Counter, type Registry } from 'prom-client';

/** What the retention counts. */
export const createRetentionMetrics = (registry: Registry) => {
  const rows = new Counter({
    name: 'retention_rows_total',
    help: 'Rows that were dropped because their time was over, by policy',
    labelNames: ['policy'] as const,
    registers: [registry],
  });
  return {
    count: (policy: string, count: number) => {
      rows.inc({ policy }, count);
    },
  };
};
