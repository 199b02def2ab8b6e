import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

/**
 * What may leave the process. Whatever else a library puts on a span is dropped: what is not known to be free of secrets and
 * personal data does not get out because somebody updated a package.
 */
const ALLOWED = new Set([
  ...['http.request.method', 'http.route', 'http.response.status_code', 'http.request.resend_count'],
  ...['rpc.system', 'rpc.service', 'rpc.method', 'rpc.grpc.status_code'],
  ...['db.system.name', 'db.operation.name', 'db.query.summary'],
  ...['server.address', 'server.port', 'error.type', 'exception.type', 'exception.stacktrace'],
  // HMACs and random ids (docs/decisions/0001), by which the Temporal UI finds a workflow.
  ...['temporalWorkflowId', 'temporalActivityId'],
  ...['bullmq.queue.name', 'bullmq.queue.operation', 'bullmq.job.name', 'bullmq.job.attempts.made'],
]);

const keepAllowed = (attributes: Attributes | undefined): void => {
  for (const name of Object.keys(attributes ?? {})) if (!ALLOWED.has(name)) delete attributes?.[name];
};

/** The frames of a stack, which begins with the message. */
const framesOf = (stack: unknown): string =>
  String(stack)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');

/** Reduces a span that has ended to what may leave. */
const reduce = (span: ReadableSpan): void => {
  keepAllowed(span.attributes);
  // Messages of errors quote what they failed at; the log has them, masked.
  delete span.status.message;
  for (const { attributes } of span.events) {
    keepAllowed(attributes);
    const stack = attributes?.['exception.stacktrace'];
    if (attributes !== undefined && stack !== undefined) attributes['exception.stacktrace'] = framesOf(stack);
  }
  for (const { attributes } of span.links) keepAllowed(attributes);
};

/** Hands spans on without what may not leave. */
export const withoutPersonalData = (processor: SpanProcessor): SpanProcessor => ({
  onStart: (span, parent) => processor.onStart(span, parent),
  onEnd: (span) => {
    reduce(span);
    processor.onEnd(span);
  },
  forceFlush: () => processor.forceFlush(),
  shutdown: () => processor.shutdown(),
});
