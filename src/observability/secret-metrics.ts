import { Counter, Gauge, type Registry } from 'prom-client';

const OUTCOMES = ['read', 'failed', 'refused'] as const;

/** Readings of secrets while the process runs. Without a name or a value of any. */
export const createSecretMetrics = (registry: Registry) => {
  const refreshes = new Counter({
    name: 'secrets_refreshes_total',
    help: 'Readings of secrets by outcome: read, failed (the provider did not answer), refused (what it holds is unusable)',
    labelNames: ['outcome'] as const,
    registers: [registry],
  });
  for (const outcome of OUTCOMES) refreshes.inc({ outcome }, 0);
  const lastGood = new Gauge({
    name: 'secrets_last_good_refresh_timestamp_seconds',
    help: 'When secrets were last read and usable, Unix time',
    registers: [registry],
  });
  lastGood.setToCurrentTime();
  return {
    count: (outcome: (typeof OUTCOMES)[number]): void => {
      refreshes.inc({ outcome });
      if (outcome === 'read') lastGood.setToCurrentTime();
    },
  };
};
