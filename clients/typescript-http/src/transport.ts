import { retryAfterOf } from './problem';
import type { Tokens, TokenStore } from './tokens';

export type Fetch = (request: Request) => Promise<Response>;

export interface TransportOptions {
  readonly baseUrl: string;
  readonly tokens: TokenStore;
  /** Language of texts for people. */
  readonly locale?: 'en' | 'am' | undefined;
  /** Longest time for one try, milliseconds. */
  readonly timeoutMs: number;
  /** Tries after the first one. */
  readonly retries: number;
  /** A longer `Retry-After` is left to the caller, milliseconds. */
  readonly maxWaitMs: number;
  readonly fetch: Fetch;
}

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const REFRESH = '/v1/auth/refresh';
/** The request did not get anywhere, or what it would do can be done later. */
const TRANSIENT = new Set([429, 502, 503, 504]);
const IN_FLIGHT = 409;
const FIRST_WAIT_MS = 200;

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done() {
      signal.removeEventListener('abort', abort);
      resolve();
    }
    function abort() {
      clearTimeout(timer);
      reject(signal.reason as Error);
    }
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });

const codeOf = async (response: Response): Promise<unknown> => {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  return (body as { code?: unknown } | undefined)?.code;
};

/** Milliseconds to wait before the next try; undefined where there is to be none. */
const waitAfter = async (response: Response, attempt: number): Promise<number | undefined> => {
  const asked = retryAfterOf(response);
  if (response.status === IN_FLIGHT)
    return (await codeOf(response)) === 'idempotency_in_flight' ? (asked ?? 1) * 1_000 : undefined;
  // 429 without a wait is not about now.
  if (!TRANSIENT.has(response.status) || (response.status === 429 && asked === undefined)) return undefined;
  return asked === undefined ? FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random()) : asked * 1_000;
};

/**
 * Sends requests as the service likes them: with the session's token, a new `Idempotency-Key` for each write, which its tries share
 * (so that every one of them may be repeated), and a limit of time.
 */
export const createTransport = (options: TransportOptions): Fetch => {
  const { baseUrl, tokens, locale, timeoutMs, retries, maxWaitMs } = options;
  let refreshing: Promise<Tokens | undefined> | undefined;

  const prepare = async (original: Request): Promise<Request> => {
    const request = new Request(original);
    const { headers } = request;
    if (locale !== undefined && !headers.has('Accept-Language')) headers.set('Accept-Language', locale);
    if (WRITES.has(request.method) && !headers.has('Idempotency-Key'))
      headers.set('Idempotency-Key', globalThis.crypto.randomUUID());
    const held = headers.has('Authorization') ? undefined : await tokens.read();
    if (held !== undefined) headers.set('Authorization', `Bearer ${held.accessToken}`);
    return request;
  };

  const once = (request: Request): Promise<Response> => {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
    return options.fetch(new Request(request.clone(), { signal }));
  };

  const send: Fetch = async (request) => {
    for (let attempt = 0; ; attempt += 1) {
      const isLast = attempt >= retries;
      try {
        const response = await once(request);
        const wait = isLast ? undefined : await waitAfter(response, attempt);
        if (wait === undefined || wait > maxWaitMs) return response;
        await response.body?.cancel();
        await sleep(wait, request.signal);
      } catch (error) {
        // The answer was lost, or never came: the key makes it safe to ask again.
        if (isLast || request.signal.aborted) throw error;
        await sleep(FIRST_WAIT_MS * 2 ** attempt, request.signal);
      }
    }
  };

  const refresh = async (refreshToken: string): Promise<Tokens | undefined> => {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': globalThis.crypto.randomUUID() };
    const response = await send(
      new Request(`${baseUrl}${REFRESH}`, { method: 'POST', headers, body: JSON.stringify({ refreshToken }) }),
    );
    // Only the service's own refusal ends the session; anything else may pass.
    if (response.status === 401) await tokens.write(undefined);
    if (!response.ok) return undefined;
    const next = (await response.json()) as Tokens;
    await tokens.write({ accessToken: next.accessToken, refreshToken: next.refreshToken });
    return next;
  };

  /** However many requests meet a token that has expired, it is exchanged once. */
  const renewed = async (used: string | null): Promise<Tokens | undefined> => {
    const held = await tokens.read();
    if (held === undefined) return undefined;
    // Somebody else was faster.
    if (used !== `Bearer ${held.accessToken}`) return held;
    refreshing ??= refresh(held.refreshToken).finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  };

  return async (original) => {
    const request = await prepare(original);
    const response = await send(request);
    if (response.status !== 401 || original.headers.has('Authorization')) return response;
    if ((await codeOf(response)) !== 'invalid_token') return response;
    const next = await renewed(request.headers.get('Authorization'));
    if (next === undefined) return response;
    const again = request.clone();
    again.headers.set('Authorization', `Bearer ${next.accessToken}`);
    return send(again);
  };
};
