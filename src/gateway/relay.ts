import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import type { Dispatcher } from 'undici';

import { AppError } from '../contracts/errors';

import { ClientGone, StillHeld, UpstreamFault } from './fault';
import { answerHeaders, headerOf } from './headers';

export interface RelayOptions {
  readonly response: ServerResponse;
  /** Until the head of the answer, milliseconds. */
  readonly timeoutMs: number;
  /** Longest pause within the answer, milliseconds; event streams may pause for as long as they like. */
  readonly idleTimeoutMs: number;
  /** What the gateway adds, unless the upstream says it itself. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the answer that the first attempt is still running is not for the client: the first attempt is over. */
  readonly isRepetition: boolean;
  /** Told when the head of the answer has come; the body follows by itself. */
  readonly onHead: (status: number, isEventStream: boolean) => void;
  /** Told when the upstream has switched protocols. */
  readonly onUpgrade: (headers: string[], upstream: Duplex) => void;
}

const BODILESS = new Set([204, 304]);
/** Where `Retry-After` is a date, milliseconds. */
const DEFAULT_RETRY_MS = 1_000;

/** What a fault of undici's is: without a start no byte of the request has left. */
const faultOf = (error: Error, isStarted: boolean): Error => {
  if (error instanceof AppError || error instanceof UpstreamFault || error instanceof ClientGone) return error;
  return new UpstreamFault(isStarted ? 'broken' : 'unreachable', isStarted, error);
};

const withOwn = (headers: string[], own: Readonly<Record<string, string>>): string[] => {
  const said = new Set(headers.filter((_text, index) => index % 2 === 0).map((name) => name.toLowerCase()));
  return [...headers, ...Object.entries(own).flatMap((header) => (said.has(header[0].toLowerCase()) ? [] : header))];
};

/** Writes the answer of an upstream to a client while it arrives. */
class Relay implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private settled = false;
  private finished = false;
  private cancelled: Error | undefined;
  private timer: NodeJS.Timeout | undefined;
  private idleTimeoutMs: number;

  constructor(
    private readonly options: RelayOptions,
    private readonly resolve: () => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.idleTimeoutMs = options.idleTimeoutMs;
    options.response.once('close', this.onClientClose);
    this.timer = setTimeout(() => {
      this.cancel(new UpstreamFault('timeout', this.controller !== undefined));
    }, options.timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.cancelled !== undefined) controller.abort(this.cancelled);
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    _headers: unknown,
    socket: Duplex,
  ): void {
    this.finish();
    if (this.settled) {
      socket.destroy();
      return;
    }
    this.settled = true;
    this.options.onUpgrade(answerHeaders(rawHeadersOf(controller)), socket);
    this.resolve();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Interim answers are of this hop.
    if (status < 200 || this.settled) return;
    const { response, headers, onHead } = this.options;
    const kept = answerHeaders(rawHeadersOf(controller));
    const retryAfter = headerOf(kept, 'retry-after');
    if (this.options.isRepetition && status === 409 && retryAfter !== undefined) {
      this.cancel(new StillHeld(Number(retryAfter) * 1_000 || DEFAULT_RETRY_MS));
      return;
    }
    const isEventStream = headerOf(kept, 'content-type')?.startsWith('text/event-stream') === true;
    const isOpenEnded = headerOf(kept, 'content-length') === undefined;
    if (isEventStream) this.idleTimeoutMs = 0;
    // Throws for a head that cannot be sent; undici then tells of it as an error.
    response.writeHead(status, withOwn(kept, headers));
    if (isOpenEnded) response.flushHeaders();
    this.settled = true;
    onHead(status, isEventStream);
    this.waitForUpstream();
    // undici misses the body that a Content-Length of these does not announce (RFC 9110, 8.6).
    if (BODILESS.has(status)) this.onResponseEnd();
    this.resolve();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response } = this.options;
    // Ended by a drain, and not taken by the client yet.
    if (response.writableEnded) {
      this.cancel(new ClientGone());
      return;
    }
    if (response.write(chunk)) {
      this.timer?.refresh();
      return;
    }
    controller.pause();
    this.clear();
    response.once('drain', () => {
      if (this.finished) return;
      this.waitForUpstream();
      controller.resume();
    });
  }

  onResponseEnd(): void {
    this.finish();
    this.options.response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    // Told already; what has become of the answer since is the business of others.
    if (this.finished) return;
    this.finish();
    // The client must not take what it has for the whole.
    if (this.settled) this.options.response.destroy();
    else this.fail(faultOf(error, this.controller !== undefined));
  }

  private readonly onClientClose = (): void => {
    if (!this.finished) this.cancel(new ClientGone());
  };

  private fail(error: Error): void {
    this.settled = true;
    this.reject(error);
  }

  /** A request that waits for a connection has nothing to abort yet. */
  private cancel(error: Error): void {
    this.finish();
    this.cancelled = error;
    if (!this.settled) this.fail(error);
    this.controller?.abort(error);
  }

  private waitForUpstream(): void {
    this.clear();
    if (this.idleTimeoutMs > 0) this.timer = setTimeout(() => this.options.response.destroy(), this.idleTimeoutMs);
  }

  private clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private finish(): void {
    this.finished = true;
    this.clear();
    this.options.response.off('close', this.onClientClose);
  }
}

const rawHeadersOf = ({ rawHeaders }: Dispatcher.DispatchController): (Buffer | string)[] =>
  Array.isArray(rawHeaders) ? rawHeaders : [];

/**
 * Sends a request and relays its answer. Resolves with the head of the answer; what comes after it is between the two ends, with
 * back-pressure, and a failure then cuts the answer off.
 *
 * @throws {UpstreamFault} when no answer began, {ClientGone}, {AppError} where the body of the request is refused
 */
export const relay = (
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  options: RelayOptions,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const handler = new Relay(options, resolve, reject);
    try {
      dispatcher.dispatch(request, handler);
    } catch (error) {
      handler.onResponseError(undefined, error as Error);
    }
  });
