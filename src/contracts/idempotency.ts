/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key): 16 to 255 visible ASCII characters without quotes, backslashes and
 * commas, bare or as the quoted string of the draft. Shorter keys are refused because keys that others can guess could be
 * taken by them first.
 */
export const IDEMPOTENCY_KEY_PATTERN = /^(?:"([!#-+\--[\]-~]{16,255})"|([!#-+\--[\]-~]{16,255}))$/;

/** An answer is remembered for so long after its request came. */
export const IDEMPOTENCY_KEY_LIFE_MS = 24 * 3_600_000;

/** What identifies one request under one key, and seals what only its sender may read. */
export interface IdempotentRequest {
  /** Of caller, route and key. */
  readonly id: Uint8Array<ArrayBuffer>;
  /** Of all that, and the content of the request. */
  readonly fingerprint: Uint8Array<ArrayBuffer>;
  /** As the fingerprint, for ids of what the request begins. */
  readonly repetitionId: string;
  /** Seals an answer so that it opens only for whoever shows the key again. */
  seal(answer: string): string;
  /** @throws when the text was sealed for another request */
  open(sealed: string): string;
}
