import { type SmsProvider, SmsRejectedError, SmsUnavailableError } from './sms-provider';

export interface HttpSmsConfig {
  readonly url: string;
  /** As it is at each SMS. */
  readonly token: string;
  /** Milliseconds. */
  readonly timeoutMs: number;
}

/** What is said of this very SMS: not well-formed, a number that does not exist, one that is barred, a text too long. */
const REFUSALS = new Set([400, 410, 413, 422]);

const reasonOf = (error: unknown): string => {
  const { name, cause } = error as { name?: string; cause?: { code?: unknown } };
  if (name === 'TimeoutError') return 'ETIMEDOUT';
  return typeof cause?.code === 'string' ? cause.code : 'no answer';
};

/**
 * A gateway that takes `{ to, text }` as a JSON POST, with a bearer token, and the id of the SMS as `Idempotency-Key`. Any 2xx is an
 * acceptance. 400, 410, 413 and 422 are final; whatever else it says (a wrong token, a limit, a redirect, a failure) somebody will
 * mend. A redirect is not followed: it would carry the token and the number to another place.
 */
export const createHttpSmsProvider = (config: HttpSmsConfig): SmsProvider => ({
  async send({ to, text, id }) {
    let response: Response;
    try {
      response = await fetch(config.url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          Authorization: `Bearer ${config.token}`,
          'Content-Type': 'application/json',
          'Idempotency-Key': id,
        },
        body: JSON.stringify({ to, text }),
        signal: AbortSignal.timeout(config.timeoutMs),
      });
      await response.body?.cancel();
    } catch (error) {
      throw new SmsUnavailableError(reasonOf(error));
    }
    if (response.ok) return;
    const reason = String(response.status);
    throw REFUSALS.has(response.status) ? new SmsRejectedError(reason) : new SmsUnavailableError(reason);
  },
});
