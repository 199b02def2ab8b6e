/** One SMS. */
export interface OutgoingSms {
  /** E.164. */
  readonly to: string;
  readonly text: string;
  /** The same whenever the same SMS is sent again, so that a gateway that knows it sends it once. 32 hexadecimal digits. */
  readonly id: string;
}

/** Whoever brings an SMS to a phone. */
export interface SmsProvider {
  /**
   * Resolves when the SMS is accepted.
   *
   * @throws {SmsRejectedError} it will never be: trying again is useless
   * @throws {SmsUnavailableError} not now; it may have been accepted all the same if the answer was lost
   */
  send(sms: OutgoingSms): Promise<void>;
}

/** The provider will never take this SMS. Its message holds no number. */
export class SmsRejectedError extends Error {
  readonly code = 'SMS_REJECTED';
  readonly permanent = true;
  /** @param reason such as `422`; never the provider's words, which often repeat the number */
  constructor(readonly reason: string) {
    super(`The SMS was refused for good (${reason})`);
    this.name = 'SmsRejectedError';
  }
}

/** The SMS was not accepted now: try again later. Its message holds no number. */
export class SmsUnavailableError extends Error {
  readonly code = 'SMS_UNAVAILABLE';
  readonly permanent = false;
  constructor(readonly reason: string) {
    super(`The SMS gateway did not accept the SMS for now (${reason})`);
    this.name = 'SmsUnavailableError';
  }
}
