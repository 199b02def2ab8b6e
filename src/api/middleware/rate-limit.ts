import type { Caller } from '../../contracts/caller';
import type { BlindIndex } from '../../contracts/data-protection';
import { AppError, type ErrorCode } from '../../contracts/errors';
import type { RateLimiter, Subjects } from '../../limits/rate-limiter';
import { limitClassOf } from '../limit-class';
import type { Route } from '../route';

/** Answers to somebody who guesses: they tighten the limits of whoever gets many of them. */
const FAILURES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid_credentials',
  'invalid_code',
  'invalid_mfa_token',
  'invalid_passkey',
  'invalid_refresh_token',
  'invalid_reset_token',
  'invalid_recovery_token',
  'too_many_attempts',
  'registration_not_found',
]);

export interface LimitedRequest {
  readonly caller: Caller | undefined;
  readonly address: string;
  readonly setHeader: (name: string, value: string) => void;
}

/** One request on its way past the limits. */
export interface Passage {
  /** Counts the account that the body names. @throws {AppError} `rate_limited` */
  readonly named: (body: unknown) => Promise<void>;
  /** How it ended; without an error, well. */
  readonly ended: (error?: unknown) => void;
}

/** Counts a request before its body is read. @throws {AppError} `rate_limited` */
export type RouteLimits = (route: Route, request: LimitedRequest) => Promise<Passage>;

interface Dependencies {
  readonly limiter: RateLimiter;
  readonly blindIndex: BlindIndex;
}

const UNLIMITED: Passage = { named: () => Promise.resolve(), ended: () => undefined };

/** The e-mail address or phone that a body names, normalised by its schema, so that every spelling is one account. */
const identifierIn = (body: unknown): { readonly field: 'email' | 'phone'; readonly value: string } | undefined => {
  const { email, phone } = (body ?? {}) as { readonly email?: unknown; readonly phone?: unknown };
  if (typeof email === 'string') return { field: 'email', value: email };
  return typeof phone === 'string' ? { field: 'phone', value: phone } : undefined;
};

/**
 * Limits the routes by their class: whoever calls or their address before the body is read, the account that the body
 * names once it is. The headers of draft-ietf-httpapi-ratelimit-headers are on every answer of a limited route.
 */
export const createRouteLimits =
  ({ limiter, blindIndex }: Dependencies): RouteLimits =>
  async (route, { caller, address, setHeader }) => {
    const limitClass = limitClassOf(route);
    if (limitClass === 'none') return UNLIMITED;
    const subjects: Subjects = { caller, address };
    const admit = async (counted: Subjects): Promise<void> => {
      const { headers, refusal } = await limiter.admit(limitClass, counted);
      for (const [name, value] of Object.entries(headers)) setHeader(name, value);
      if (refusal !== undefined) throw refusal;
    };
    await admit(subjects);
    return {
      named: async (body) => {
        const identifier = identifierIn(body);
        if (identifier === undefined || caller !== undefined) return;
        const account = Buffer.from(blindIndex.of(identifier.field, identifier.value)).toString('base64url');
        await admit({ account });
      },
      ended: (error) => {
        if (error === undefined) limiter.settle(limitClass, subjects, false);
        else if (error instanceof AppError && FAILURES.has(error.code)) limiter.settle(limitClass, subjects, true);
      },
    };
  };
