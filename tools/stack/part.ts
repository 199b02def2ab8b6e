/** A process of the stack, or of the service, that can be stopped and started again on the same port and data. */
export interface Part {
  readonly name: string;
  /** Of the running process. */
  readonly pid: number | undefined;
  readonly logFile: string;
  /** Settles when the part answers; rejects with the end of its log when it does not. */
  readonly start: () => Promise<void>;
  /** Asks it to end, and makes it end when it does not in time. */
  readonly stop: () => Promise<void>;
  /** Ends it without warning, as a power cut would. */
  readonly kill: () => Promise<void>;
}
