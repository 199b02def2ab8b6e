/** What an operator wants to see in logs and metrics. Nothing in it is secret. */
export type EdgeEvent =
  /** The key set could not be loaded; what is cached goes on for `staleIfErrorMs`. */
  | { readonly type: 'keys-unreachable'; readonly error: unknown }
  /** The stream has given all revocations that matter and is live. */
  | { readonly type: 'stream-ready' }
  /** The stream ended; it is opened again after `retryInMs`. */
  | { readonly type: 'stream-lost'; readonly error: unknown; readonly retryInMs: number }
  /** The list was full: the oldest entry was dropped early, and the list counts as stale until it would have been due. */
  | { readonly type: 'list-full' }
  /** `ValidateToken` could not be asked. */
  | { readonly type: 'validation-failed'; readonly error: unknown };

export type OnEvent = (event: EdgeEvent) => void;
