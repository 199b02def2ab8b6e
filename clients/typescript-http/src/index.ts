import createClient, { type Client } from 'openapi-fetch';

import { isProblem, ProblemError } from './problem';
import type { paths } from './schema';
import { memoryTokens, type Tokens, type TokenStore } from './tokens';
import { createTransport, type Fetch } from './transport';

export type { components, operations, paths } from './schema';
export { type FieldError, type Problem, type ProblemCode, ProblemError } from './problem';
export { memoryTokens, type Tokens, type TokenStore } from './tokens';

export interface AuthClientOptions {
  /** Such as `https://auth.example.et`, without a path. */
  readonly baseUrl: string;
  /** Kept in memory unless told otherwise. */
  readonly tokens?: TokenStore;
  /** Language of texts for people; English by default. */
  readonly locale?: 'en' | 'am';
  /** Longest time for one try, milliseconds; 10 s by default. */
  readonly timeoutMs?: number;
  /** Tries after the first one, of whatever may be repeated; 2 by default. */
  readonly retries?: number;
  /** A `Retry-After` beyond this is not waited for, milliseconds; 5 s by default. */
  readonly maxWaitMs?: number;
  /** `fetch` by default. */
  readonly fetch?: Fetch;
}

export interface AuthClient extends Client<paths> {
  /** The session's tokens: give it those of a login, and the client keeps them fresh. */
  readonly tokens: TokenStore;
  /** Takes the tokens of an answer over; others are left as they are. */
  keep(answer: Partial<Tokens>): Promise<void>;
}

/** A client of one session: `GET`, `POST` and the rest of openapi-fetch, typed by the paths of the API. */
export const createAuthClient = (options: AuthClientOptions): AuthClient => {
  const { locale, timeoutMs = 10_000, retries = 2, maxWaitMs = 5_000, tokens = memoryTokens() } = options;
  const baseUrl = options.baseUrl.replace(/\/$/, '');
  const send: Fetch = options.fetch ?? ((request) => globalThis.fetch(request));
  const transport = createTransport({ baseUrl, tokens, locale, timeoutMs, retries, maxWaitMs, fetch: send });
  const client = createClient<paths>({ baseUrl, fetch: transport });
  return Object.assign(client, {
    tokens,
    keep: async ({ accessToken, refreshToken }: Partial<Tokens>): Promise<void> => {
      if (accessToken !== undefined && refreshToken !== undefined) await tokens.write({ accessToken, refreshToken });
    },
  });
};

interface Result<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: Response;
}

/**
 * The body of a good answer.
 * @throws {ProblemError} for every other one; branch on its `code`
 */
export const unwrap = async <Data>(sent: Promise<Result<Data>>): Promise<Data> => {
  const { data, error, response } = await sent;
  if (!response.ok) throw new ProblemError(response, isProblem(error) ? error : undefined);
  return data as Data;
};
