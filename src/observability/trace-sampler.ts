import { SpanKind } from '@opentelemetry/api';
import { ParentBasedSampler, type Sampler, SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';

import type { TelemetryConfig } from '../config/telemetry.config';

/** A trace begins with a request or a job: polling, probing and looking for work are nobody's. */
const BEGINNINGS = new Set([SpanKind.SERVER, SpanKind.CONSUMER]);

/** Which spans are recorded. */
export const createSampler = ({ ratio, followsCaller }: TelemetryConfig['sampling']): Sampler => {
  const share = new TraceIdRatioBasedSampler(ratio);
  const root: Sampler = {
    shouldSample: (context, traceId, _name, kind) =>
      BEGINNINGS.has(kind) ? share.shouldSample(context, traceId) : { decision: SamplingDecision.NOT_RECORD },
    toString: () => share.toString(),
  };
  return new ParentBasedSampler({
    root,
    ...(!followsCaller && { remoteParentSampled: share, remoteParentNotSampled: share }),
  });
};
