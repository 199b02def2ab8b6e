import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** Headers or metadata that may say to which trace a request belongs (W3C Trace Context). */
export type Carrier = Readonly<Record<string, string | string[] | undefined>>;

/** Something that takes its time, and what is known of it. */
export interface Span {
  /** Of its trace; undefined where nothing is traced. */
  readonly traceId: string | undefined;
  /** Runs `work` within it: what begins there is a part of it. */
  readonly run: <T>(work: () => T) => T;
  /** `traceparent` for whoever is asked within it; nothing where nothing is traced. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly rename: (name: string) => void;
  readonly set: (attributes: Attributes) => void;
  /** @param error what it failed of; of an error only its class and its frames are ever sent. @param kind a code, where one is known */
  readonly fail: (error?: unknown, kind?: string) => void;
  readonly end: () => void;
}

/** Does nothing until `src/instrumentation.ts` has started the SDK. */
const tracer = trace.getTracer('meqenet-auth');

/** What kind of error it is: its code, or else its name. */
const kindOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
};

const toSpan = (span: OtelSpan, within: Context): Span => {
  const spanContext = span.spanContext();
  return {
    traceId: isSpanContextValid(spanContext) ? spanContext.traceId : undefined,
    run: (work) => context.with(within, work),
    headers: () => {
      const headers: Record<string, string> = {};
      propagation.inject(within, headers);
      return headers;
    },
    rename: (name) => span.updateName(name),
    set: (attributes) => span.setAttributes(attributes),
    fail: (error, kind = error === undefined ? undefined : kindOf(error)) => {
      if (kind !== undefined) span.setAttribute('error.type', kind);
      span.setStatus({ code: SpanStatusCode.ERROR });
      if (error instanceof Error) span.recordException(error);
    },
    end: () => span.end(),
  };
};

/**
 * The context of a caller. Without `tracestate`: whatever a stranger writes there would be stored with the workflows and jobs
 * that follow.
 */
const contextOf = (carrier: Carrier): Context => {
  const caller = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, carrier));
  if (caller === undefined) return ROOT_CONTEXT;
  const { traceState: _, ...known } = caller;
  return trace.setSpanContext(ROOT_CONTEXT, known);
};

/** Begins to answer somebody, in their trace where they name one. */
export const beginServing = (name: string, carrier: Carrier, attributes: Attributes): Span => {
  const caller = contextOf(carrier);
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, caller);
  return toSpan(span, trace.setSpan(caller, span));
};

/** Begins to ask somebody. */
export const beginAsking = (name: string, attributes: Attributes): Span => {
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes });
  return toSpan(span, trace.setSpan(context.active(), span));
};

/** The span within which this is called. */
export const activeSpan = (): Span | undefined => {
  const span = trace.getActiveSpan();
  return span && toSpan(span, context.active());
};

/** Asks somebody in a span of its own. */
export const askInSpan = async <T>(name: string, attributes: Attributes, ask: () => Promise<T>): Promise<T> => {
  const span = beginAsking(name, attributes);
  try {
    return await span.run(ask);
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
};

/** The span of an HTTP request. */
export const beginRequest = (method: string, headers: Carrier): Span =>
  beginServing(method, headers, { 'http.request.method': method });

/** @param route its pattern, never its path; `unmatched` where none fits */
export const endRequest = (span: Span, method: string, route: string, status: number): void => {
  if (route !== 'unmatched') {
    span.rename(`${method} ${route}`);
    span.set({ 'http.route': route });
  }
  span.set({ 'http.response.status_code': status });
  if (status >= 500) span.fail();
  span.end();
};
