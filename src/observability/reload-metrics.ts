import { Counter, type Registry } from 'prom-client';

/** Changes of `CONFIG_FILE` while the process runs, by what became of them: `applied` or `refused`. */
export const createReloadMetrics = (registry: Registry) => {
  const reloads = new Counter({
    name: 'config_reloads_total',
    help: 'Changes of CONFIG_FILE by outcome',
    labelNames: ['outcome'] as const,
    registers: [registry],
  });
  for (const outcome of ['applied', 'refused'] as const) reloads.inc({ outcome }, 0);
  return reloads;
};
