import { AppError } from '../contracts/errors';

/**
 * Why an upstream gave no answer. `unreachable`: no connection came about; `broken`: it ended before the answer began; `timeout`: no
 * answer in time.
 */
export type FaultKind = 'unreachable' | 'broken' | 'timeout';

export class UpstreamFault extends Error {
  constructor(
    readonly kind: FaultKind,
    /** Whether the upstream may have seen the request. */
    readonly isSent: boolean,
    cause?: unknown,
  ) {
    super(`The upstream is ${kind}`, { cause });
    this.name = 'UpstreamFault';
  }
}

/**
 * An upstream that died had begun with this request, and its Idempotency-Key is held for it until its lease is over: 409 with
 * `Retry-After`, to whoever repeats it.
 */
export class StillHeld extends Error {
  constructor(readonly retryAfterMs: number) {
    super('The first attempt is still held to be running');
    this.name = 'StillHeld';
  }
}

/** The client has gone: nobody is left to answer. */
export class ClientGone extends Error {
  constructor() {
    super('The client has gone');
    this.name = 'ClientGone';
  }
}

const RETRY_AFTER_SECONDS = 1;

/** There is no upstream to ask now. */
export const unavailable = (): AppError =>
  new AppError('service_unavailable', { retryAfterSeconds: RETRY_AFTER_SECONDS });

/** What a fault is to the client; whose it is, to the log. */
export const toAnswer = ({ kind, cause }: UpstreamFault, url: string | undefined): AppError =>
  new AppError(kind === 'timeout' ? 'gateway_timeout' : 'bad_gateway', {
    cause: new Error(`Upstream ${url ?? ''}: ${kind}`, { cause }),
  });
