/**
 * Version, trace id, parent id, flags; a later version may add to it, `ff` never is one and no id is all zeros. For this one rule
 * `@opentelemetry/core` would load some 80 modules.
 */
const TRACEPARENT =
  // eslint-disable-next-line security/detect-unsafe-regex -- every part is of a fixed length
  /^(?!ff)(?<version>[0-9a-f]{2})-(?!0{32})(?<traceId>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?<more>-.*)?$/;

/**
 * The trace that a `traceparent` header names. @returns undefined where it is not well-formed
 *
 * W3C Trace Context, section 3.2: https://www.w3.org/TR/trace-context/#traceparent-header
 */
export const traceIdOf = (traceparent: string | undefined): string | undefined => {
  const { version, traceId, more } = TRACEPARENT.exec(traceparent ?? '')?.groups ?? {};
  return version === '00' && more !== undefined ? undefined : traceId;
};
