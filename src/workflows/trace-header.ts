import type { Headers } from '@temporalio/common';
import type { WorkflowInterceptors } from '@temporalio/workflow';

/** Where clients and activities of `@temporalio/interceptors-opentelemetry-v2` put and look for a trace. */
const HEADER = '_tracer-data';

/**
 * Hands the trace on that the workflow heard of last: its start, an update or a signal. What an activity does then belongs to the
 * request that asked for it. Without tracing there is no such header, and nothing happens.
 *
 * A header and no spans, so that OpenTelemetry need not be in the sandbox, and workflows are the same with tracing and without.
 */
export const interceptors = (): WorkflowInterceptors => {
  let heard: Headers = {};
  const hear = ({ headers }: { readonly headers: Headers }): void => {
    const trace = headers[HEADER];
    if (trace !== undefined) heard = { [HEADER]: trace };
  };
  return {
    inbound: [
      {
        execute: (input, next) => {
          hear(input);
          return next(input);
        },
        handleUpdate: (input, next) => {
          hear(input);
          return next(input);
        },
        handleSignal: (input, next) => {
          hear(input);
          return next(input);
        },
      },
    ],
    outbound: [{ scheduleActivity: (input, next) => next({ ...input, headers: { ...input.headers, ...heard } }) }],
  };
};
