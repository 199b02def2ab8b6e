import { z } from 'zod';

const MEBIBYTE = 1_048_576;
/** A page of a history at most. */
export const MAX_DECODE_BYTES = 10 * MEBIBYTE;
const MAX_PAYLOADS = 1_000;
/** NIST SP 800-63B: at AAL2 whoever works on is asked anew after 12 hours. */
export const DECODE_ASSURANCE = { acr: 'aal2', maxAgeMs: 12 * 3_600_000 } as const;

/** Of Temporal, as protobuf JSON: bytes in base64. */
const payload = z.object({ metadata: z.record(z.string(), z.base64()).optional(), data: z.base64().optional() });

export const payloadsBody = z.object({ payloads: z.array(payload).max(MAX_PAYLOADS) });
export type JsonPayloads = z.output<typeof payloadsBody>['payloads'];

/** What the Temporal UI says in `X-Namespace`. */
export const namespaceSchema = z.string().regex(/^[A-Za-z0-9._-]{1,128}$/);
