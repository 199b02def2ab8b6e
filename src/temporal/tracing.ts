import type { WorkflowClientInterceptor } from '@temporalio/client';
import type * as forClients from '@temporalio/interceptors-opentelemetry-v2/lib/client';
import type * as forWorkers from '@temporalio/interceptors-opentelemetry-v2/lib/worker';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';

// What tracing takes is loaded only where traces are recorded.
/* eslint-disable @typescript-eslint/no-require-imports -- an `import` cannot wait, and `import()` is not for CommonJS */

/** Starting, asking and waking a workflow are spans, and the workflow is told of them in a header. */
export const clientTracing = (isTraced: boolean): WorkflowClientInterceptor[] => {
  if (!isTraced) return [];
  const { OpenTelemetryWorkflowClientInterceptor } =
    require('@temporalio/interceptors-opentelemetry-v2/lib/client') as typeof forClients;
  return [new OpenTelemetryWorkflowClientInterceptor()];
};

/** Activities are spans of the trace that their workflow heard of last (`src/workflows/trace-header.ts`). */
export const activityTracing = (isTraced: boolean): ActivityInterceptorsFactory[] => {
  if (!isTraced) return [];
  const { OpenTelemetryActivityInboundInterceptor } =
    require('@temporalio/interceptors-opentelemetry-v2/lib/worker') as typeof forWorkers;
  return [(context) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(context) })];
};
