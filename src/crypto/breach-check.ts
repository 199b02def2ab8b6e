import { createHash } from 'node:crypto';

import { circuitBreaker, ConsecutiveBreaker, handleAll, timeout, TimeoutStrategy, wrap } from 'cockatiel';
import type { Logger } from 'pino';

/** Whether a password is known to have been stolen somewhere; false where nobody could be asked. Never throws. */
export type BreachCheck = (password: string) => Promise<boolean>;

interface Options {
  /** Service of the Pwned Passwords range protocol, without the prefix; only http(s). */
  readonly url: string;
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
  /** After this many failures in a row nobody waits for the service, until it is tried again. */
  readonly failures?: number;
  /** When it is tried again, milliseconds. */
  readonly retryAfterMs?: number;
}

/** The protocol shows the service 20 bits of the SHA-1, which some thousand other passwords share (k-anonymity). */
const PREFIX_LENGTH = 5;

const ask = async (url: string, prefix: string, signal: AbortSignal): Promise<string> => {
  const response = await fetch(`${url.replace(/\/$/, '')}/${prefix}`, {
    // With padding the length of an answer does not tell the prefix.
    headers: { 'Add-Padding': 'true', 'User-Agent': 'meqenet-auth' },
    redirect: 'error',
    signal,
  });
  if (!response.ok) throw new Error(`The breach check answered ${String(response.status)}`);
  return response.text();
};

/** Lines of `suffix:count`; padding has the count 0. */
const holds = (range: string, suffix: string): boolean =>
  range.split(/\r?\n/).some((line) => {
    const [listed, count] = line.split(':');
    return listed?.toUpperCase() === suffix && Number(count) > 0;
  });

/**
 * Asks a service of the Pwned Passwords range protocol (https://haveibeenpwned.com/API/v3#PwnedPasswords). It fails open: a
 * service that is slow or away costs nobody more than the timeout, and after some failures nothing at all.
 */
export const createBreachCheck = (options: Options): BreachCheck => {
  const { url, timeoutMs, logger, failures = 5, retryAfterMs = 30_000 } = options;
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: retryAfterMs,
    breaker: new ConsecutiveBreaker(failures),
  });
  breaker.onBreak(() => {
    logger.warn({}, 'the breach check fails again and again and is left out for a while');
  });
  breaker.onReset(() => {
    logger.info({}, 'the breach check answers again');
  });
  const policy = wrap(breaker, timeout(timeoutMs, TimeoutStrategy.Aggressive));

  return async (password) => {
    // The protocol is made of SHA-1; nothing is protected by it.
    const digest = createHash('sha1').update(password).digest('hex').toUpperCase();
    const [prefix, suffix] = [digest.slice(0, PREFIX_LENGTH), digest.slice(PREFIX_LENGTH)];
    try {
      return holds(await policy.execute(({ signal }) => ask(url, prefix, signal)), suffix);
    } catch {
      return false;
    }
  };
};
