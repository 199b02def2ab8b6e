import { z } from 'zod';

import { address, duration, flag, integer, list, optionalHttpUrl, optionalText, origins, port, text } from './fields';
import { clientTlsFields, toClientTls } from './tls.config';

export const temporalEnv = z.object({
  TEMPORAL_ADDRESS: address('localhost:7233', 'Temporal frontend'),
  TEMPORAL_NAMESPACE: text('default', 'Temporal namespace'),
  TEMPORAL_TLS: flag(false, 'TLS to Temporal, whose certificate must be valid'),
  ...clientTlsFields('TEMPORAL', 'Temporal'),
  TEMPORAL_RPC_TIMEOUT: duration('3s', 'How long a request waits for Temporal to accept a start'),
  TEMPORAL_UPDATE_TIMEOUT: duration('10s', 'How long a request waits for the answer of a workflow update'),
  WORKER_TASK_QUEUES: list('', 'Task queues that a worker process serves; all of them when empty'),
  WORKER_METRICS_PORT: port(9464, 'Port of the worker for /healthz, /readyz and /metrics'),
  WORKER_MAX_ACTIVITIES: integer(50, 1, 1_000, 'Activities that one worker runs at once on each task queue'),
  WORKER_MAX_MAILS_PER_SECOND: integer(50, 1, 10_000, 'Mails a second over all workers of the email task queue'),
  WORKER_MAX_SMS_PER_SECOND: integer(10, 1, 10_000, 'SMS a second over all workers of the sms task queue'),
  WORKFLOW_BUNDLE: optionalText(
    'Path of the prebuilt workflow bundle; without it the worker bundles at start (development only)',
  ),
  CODEC_SERVER_PORT: port(8888, 'Port of the codec server that decodes payloads for the Temporal UI'),
  CODEC_SERVER_URL: optionalHttpUrl(
    'Base URL under which operators reach the codec server, on the same site as the Temporal UI; http://localhost:CODEC_SERVER_PORT when not set, https in production',
  ),
  CODEC_SERVER_ORIGINS: origins(
    'http://localhost:8233,http://127.0.0.1:8233',
    'Origins of the Temporal UI that may call the codec server',
  ),
});

/** Temporal: client, workers and codec. Times are milliseconds. */
export const toTemporalConfig = (env: z.output<typeof temporalEnv>) => ({
  address: env.TEMPORAL_ADDRESS,
  namespace: env.TEMPORAL_NAMESPACE,
  ...(env.TEMPORAL_TLS && { tls: toClientTls('TEMPORAL', env) }),
  rpcTimeoutMs: env.TEMPORAL_RPC_TIMEOUT,
  updateTimeoutMs: env.TEMPORAL_UPDATE_TIMEOUT,
  codecServer: {
    port: env.CODEC_SERVER_PORT,
    url: env.CODEC_SERVER_URL ?? `http://localhost:${String(env.CODEC_SERVER_PORT)}`,
    origins: env.CODEC_SERVER_ORIGINS,
  },
  worker: {
    taskQueues: env.WORKER_TASK_QUEUES,
    metricsPort: env.WORKER_METRICS_PORT,
    maxActivities: env.WORKER_MAX_ACTIVITIES,
    maxMailsPerSecond: env.WORKER_MAX_MAILS_PER_SECOND,
    maxSmsPerSecond: env.WORKER_MAX_SMS_PER_SECOND,
    workflowBundle: env.WORKFLOW_BUNDLE,
  },
});
export type TemporalConfig = ReturnType<typeof toTemporalConfig>;
