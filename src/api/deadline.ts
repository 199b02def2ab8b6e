import { AppError } from '../contracts/errors';

/** Set by the work when the request has been read in full: until then a delay is the client's. */
export interface Progress {
  received: boolean;
}

/**
 * Bounds the time of one request. Work that is cut off goes on in the background, its result unused: it may have
 * changed something, which is why clients repeat with an Idempotency-Key.
 *
 * @throws {AppError} `request_timeout` while the request is still arriving, `service_unavailable` after
 */
export const withDeadline = <T>(ms: number, work: (progress: Progress) => Promise<T>): Promise<T> =>
  new Promise<T>((resolve, reject) => {
    const progress: Progress = { received: false };
    const timer = setTimeout(() => {
      reject(
        progress.received
          ? new AppError('service_unavailable', { retryAfterSeconds: 1, cause: new Error('the handler took too long') })
          : new AppError('request_timeout'),
      );
    }, ms);
    work(progress)
      .finally(() => {
        clearTimeout(timer);
      })
      .then(resolve, reject);
  });
