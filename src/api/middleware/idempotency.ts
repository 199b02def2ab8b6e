import { randomUUID } from 'node:crypto';

import type { Logger } from 'pino';

import { AppError } from '../../contracts/errors';
import { IDEMPOTENCY_KEY_PATTERN, type IdempotentRequest } from '../../contracts/idempotency';
import type { IdempotencyKeys } from '../../crypto/idempotency-keys';
import type { Holder, IdempotencyRepository } from '../../repositories/idempotency-repository';
import { readOutcome, writeOutcome } from '../idempotent-outcome';
import { type Interceptor, isWrite, type Route, type RouteAnswer, type RouteRequest } from '../route';

/**
 * A key whose process was killed is free again after this time, milliseconds. Longer than a statement may wait in the
 * database (5 s by default), so that a holder that waits there with every connection in use is not overtaken.
 */
const LEASE_MS = 8_000;
const RENEW_MS = 2_500;
/** Twice the longest that a handler's waits for database and Temporal add up to: one that hangs must not keep its key. */
const MAX_RENEWALS = 24;
/** A request in flight is done in a moment, as a rule; after a crash the client asks a few times more. Seconds. */
const RETRY_AFTER_SECONDS = 1;
/** Of so many claims one clears away more expired keys than the others can have left, so the table cannot grow. */
const CLAIMS_FOR_EACH_PURGE = 64;
const PURGE_LIMIT = 256;

export interface IdempotencyDependencies {
  readonly keys: IdempotencyKeys;
  readonly repository: IdempotencyRepository;
  readonly logger: Logger;
}

/** @throws {AppError} `invalid_idempotency_key` */
const parseKey = (header: string): string => {
  const [, quoted, bare] = IDEMPOTENCY_KEY_PATTERN.exec(header) ?? [];
  const key = quoted ?? bare;
  if (key === undefined) {
    const detail = 'The Idempotency-Key must have 16 to 255 visible ASCII characters, such as a UUID';
    throw new AppError('invalid_idempotency_key', { detail });
  }
  return key;
};

/**
 * `Idempotency-Key` on every route that changes something: the first answer is remembered and given again to whoever
 * repeats the request under its key. Answers that ask to come back (5xx, 429) are not remembered. A request without the
 * header passes at no cost.
 *
 * What refuses a request for who sends it, or for how many come, belongs outside of this interceptor: such answers must be
 * found anew every time.
 *
 * @throws {AppError} `invalid_idempotency_key`, `idempotency_in_flight`, `idempotency_key_reused`
 */
export const idempotency = ({ keys, repository, logger }: IdempotencyDependencies): Interceptor => {
  let claims = 0;

  const identify = (route: Route, { caller, params, query, body }: RouteRequest, key: string): IdempotentRequest => {
    const { method, path } = route;
    return keys.of({ userId: caller?.userId, method, path, params }, key, { query: query ?? null, body: body ?? null });
  };

  // The answer is true whether or not it could be noted: a failure here costs the repetition its replay, nothing else.
  const checkHeld = (held: boolean): void => {
    if (!held) logger.warn('an idempotency key was taken over before its request was done');
  };
  const logFailure = (error: unknown): void => {
    logger.warn({ err: error }, 'an idempotency key could not be kept up');
  };

  /** Keeps the lease while the handler works, also after the deadline of its request. */
  const holding = async <T>(holder: Holder, work: () => Promise<T>): Promise<T> => {
    let renewals = 0;
    const timer = setInterval(() => {
      renewals += 1;
      if (renewals === MAX_RENEWALS) clearInterval(timer);
      repository.renew(holder, LEASE_MS).then(checkHeld, logFailure);
    }, RENEW_MS);
    timer.unref();
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  };

  const perform = async (request: IdempotentRequest, lease: string, work: () => Promise<RouteAnswer>) => {
    const holder = { id: request.id, lease };
    const settle = (text: string | undefined): Promise<void> =>
      (text === undefined ? repository.release(holder) : repository.record(holder, request.seal(text))).then(
        checkHeld,
        logFailure,
      );
    try {
      const answer = await holding(holder, work);
      await settle(writeOutcome({ answer }));
      return answer;
    } catch (error) {
      await settle(writeOutcome({ error }));
      throw error;
    }
  };

  const purgeNowAndThen = (): void => {
    if (claims % CLAIMS_FOR_EACH_PURGE === 0) repository.purge(PURGE_LIMIT).catch(logFailure);
    claims += 1;
  };

  return async (route, request, next) => {
    const header = request.headers.idempotencyKey;
    if (header === undefined || !isWrite(route)) return next();
    const identified = identify(route, request, parseKey(header));
    const lease = randomUUID();
    const claim = await repository.claim(identified, lease, LEASE_MS);
    switch (claim.outcome) {
      case 'claimed':
        purgeNowAndThen();
        return perform(identified, lease, () => next({ ...request, repetitionId: identified.repetitionId }));
      case 'answered':
        return readOutcome(identified.open(claim.answer));
      case 'in_flight':
        throw new AppError('idempotency_in_flight', { retryAfterSeconds: RETRY_AFTER_SECONDS });
      case 'reused':
        throw new AppError('idempotency_key_reused');
    }
  };
};
